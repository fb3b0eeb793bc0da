//! `docs/cli.md` has the help of every command as the command line prints it. `DOORWARD_WRITE=1 cargo
//! test -p doorward-doctor --test cli_page` writes it anew.

#![allow(clippy::panic)] // a test that panics has found something

mod support;

use std::fs;
use std::path::Path;

use support::World;

const HEAD: &str = "\
# The command line

For everybody who sets a gate up, deploys one, or wants to know why it refuses. `npx doorward` runs it
from the npm package, `cargo install --path cli` installs it natively; both print the same.

| question | command |
|---|---|
| Is this project right, before it is deployed? | [`doorward check`](#doorward-check) |
| Why is a running deployment refusing people? | [`doorward doctor`](#doorward-doctor) |
| What is this cookie or token worth? | [`doorward explain`](#doorward-explain) |
| What does a gate's log say? | [`doorward explain-log`](#doorward-explain-log) |
| Which rule covers which route? | [`doorward routes`](#doorward-routes) |
| Does my policy do what I mean? | [`doorward test`](#doorward-test) |

`check`, `explain`, `explain-log`, `routes`, `test`, `causes` and `reasons` open no connection. The exit
status is 0 where nothing is wrong, 1 where something is, 2 where the command line is wrong, and 3
where it could not finish. The answer goes to standard output, everything else to standard error.
`--json` gives the answer as one JSON object whose member `schema` names its form (`check-1`,
`doctor-1`, `explain-1`, `explain-log-1`, `routes-1`, `test-1`, `init-1`); `causes` and `reasons` give
a list. Each form has a JSON Schema in [schema/](../schema); members are added, never renamed.
`man doorward` and `man doorward-doctor` have the help of each command after `npm install --global
doorward`; the release of the native program has the pages in `man/`.
Secrets, cookies and tokens are never printed: two secrets are compared by a *fingerprint*, the first
six hexadecimal digits of an HMAC, which a gate's start line has as well.

## A build step

A gate with a wrong configuration answers 503 to every request. `doorward check` finds that out before
the deployment does, and so belongs before the build:

```json
{ \"scripts\": { \"prebuild\": \"doorward check\", \"build\": \"next build\" } }
```

`prebuild` runs with `npm run build`. With Next, `withDoorward()` also stops a bare `next build`:

```ts
// next.config.ts
import { withDoorward } from \"doorward/next/config\";
export default withDoorward({ /* as before */ });
```

Where the variables are set at the deployment only, `check` says that it did not see them and looks at
everything else. Two environments are compared with `--env-file`, for example after
`vercel env pull .env.preview --environment=preview`.

<!-- What follows is the commands' own help: DOORWARD_WRITE=1 cargo test -p doorward-doctor --test
     cli_page -->
";

#[test]
fn the_page_has_the_help_of_every_command() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let mut text = HEAD.to_owned();
    let mut count = 0;
    for command in doorward_doctor::COMMAND_LINE.commands {
        let name = command.name;
        let played = World::default().play(&[name, "--help"]);
        assert_eq!(played.exit, 0, "{name}: {}", played.err);
        text.push_str(&format!(
            "\n## doorward {name}\n\n```text\n{}\n```\n",
            played.out.trim_end()
        ));
        count += 1;
    }
    println!("{count} commands");
    assert!(count > 8);
    if std::env::var_os("DOORWARD_WRITE").is_some() {
        fs::write(&path, &text).unwrap_or_else(|error| panic!("{error}"));
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "docs/cli.md is out of date; the head of this file says what to do");
}
