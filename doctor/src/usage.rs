//! A command line as a table: its words, its help, and what is made of the words that somebody
//! types. Each command says what it takes in a [`Usage`].

use std::fmt::Write as _;

use lexopt::Arg;

/// A command: what it is called, what it takes, and what its help says.
#[derive(Debug)]
pub struct Usage {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What stands without a name, in order.
    pub arguments: &'static [Argument],
    /// What has a name.
    pub options: &'static [Opt],
    /// Commands below it. Where it also takes arguments, one of these is its first word.
    pub commands: &'static [&'static Self],
    /// What else its help says.
    pub more: &'static str,
}

/// Something that stands without a name.
#[derive(Debug)]
pub struct Argument {
    /// As the help calls it.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Whether it has to be there.
    pub is_required: bool,
    /// Whether it may be there several times.
    pub repeats: bool,
    /// What is taken where it is not there.
    pub usual: Option<&'static str>,
}

/// Something with a name.
#[derive(Debug)]
pub struct Opt {
    /// `name` of `--name`.
    pub name: &'static str,
    /// `n` of `-n`.
    pub short: Option<char>,
    /// What the help calls its value; nothing: it has none.
    pub value: Option<&'static str>,
    /// What it is for.
    pub about: &'static str,
    /// What is taken where it is not there.
    pub usual: Option<&'static str>,
    /// The values that there are; none: any.
    pub words: &'static [&'static str],
}

impl Argument {
    /// One that may be left out.
    pub(crate) const fn optional(name: &'static str, about: &'static str) -> Self {
        Self { name, about, is_required: false, repeats: false, usual: None }
    }

    pub(crate) const fn required(name: &'static str, about: &'static str) -> Self {
        Self { is_required: true, ..Self::optional(name, about) }
    }

    pub(crate) const fn usual(self, usual: &'static str) -> Self {
        Self { usual: Some(usual), ..self }
    }
}

impl Opt {
    /// One without a value.
    pub(crate) const fn flag(name: &'static str, about: &'static str) -> Self {
        Self { name, short: None, value: None, about, usual: None, words: &[] }
    }

    /// One with a value.
    pub(crate) const fn value(
        name: &'static str,
        value: &'static str,
        about: &'static str,
    ) -> Self {
        Self { value: Some(value), ..Self::flag(name, about) }
    }
}

/// Options of every command.
pub const EVERYWHERE: [Opt; 2] = [
    Opt::flag("json", "Print the answer as JSON"),
    Opt { short: Some('h'), ..Opt::flag("help", "Print help") },
];

/// What somebody has typed.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// The command and the one below it.
    pub(crate) commands: Vec<&'static str>,
    given: Vec<(&'static str, String)>,
}

impl Words {
    /// The last value of an option, or an argument.
    pub(crate) fn one(&mut self, name: &str) -> Option<String> {
        let place = self.given.iter().rposition(|(own, _)| *own == name)?;
        Some(self.given.swap_remove(place).1)
    }

    /// All values, in order.
    pub(crate) fn all(&mut self, name: &str) -> Vec<String> {
        let (wanted, rest) =
            std::mem::take(&mut self.given).into_iter().partition(|(own, _)| *own == name);
        self.given = rest;
        let wanted: Vec<(&str, String)> = wanted;
        wanted.into_iter().map(|(_, value)| value).collect()
    }

    /// Whether it is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(own, _)| *own == name)
    }
}

/// What comes of parsing.
#[derive(Debug)]
pub(crate) enum Read {
    Words(Words),
    /// What was asked for instead: help, or the version.
    Help(String),
    /// What is wrong, and how it is right.
    Wrong(String),
}

/// Reads the words of a command line.
pub(crate) fn read(root: &'static Usage, args: &[String]) -> Read {
    // `doorward help check` is `doorward check --help`.
    let (args, asks_help) = match args.split_first() {
        Some((first, rest)) if first == "help" => (rest, true),
        _ => (args, false),
    };
    let mut reader = Reader { chain: vec![root], words: Words::default() };
    match reader.read(lexopt::Parser::from_args(args)) {
        Ok(Some(text)) => Read::Help(text),
        Ok(None) | Err(_) if asks_help => Read::Help(reader.help()),
        Ok(None) if reader.lacks_command() => Read::Wrong(reader.help()),
        Ok(None) => match reader.missing() {
            Some(wrong) => Read::Wrong(reader.wrong(&wrong)),
            None => Read::Words(reader.finished()),
        },
        Err(wrong) => Read::Wrong(reader.wrong(&wrong)),
    }
}

struct Reader {
    /// The commands so far, the outermost first.
    chain: Vec<&'static Usage>,
    words: Words,
}

impl Reader {
    fn own(&self) -> &'static Usage {
        const NONE: &Usage =
            &Usage { name: "", about: "", arguments: &[], options: &[], commands: &[], more: "" };
        self.chain.last().copied().unwrap_or(NONE)
    }

    /// Reads all words; gives the text that was asked for in place of the command.
    fn read(&mut self, mut parser: lexopt::Parser) -> Result<Option<String>, String> {
        while let Some(word) = parser.next().map_err(|error| error.to_string())? {
            let option = match word {
                Arg::Value(value) => {
                    self.take(&text(value)?)?;
                    continue;
                }
                Arg::Long(name) => self.option(|own| own.name == name, &format!("--{name}"))?,
                Arg::Short(letter) => {
                    self.option(|own| own.short == Some(letter), &format!("-{letter}"))?
                }
            };
            match option.name {
                "help" => return Ok(Some(self.help())),
                "version" => return Ok(Some(format!("doorward {}\n", env!("CARGO_PKG_VERSION")))),
                _ => {}
            }
            let value = match option.value {
                Some(_) => parser.value().map_err(|error| error.to_string()).and_then(text)?,
                None => String::new(),
            };
            if !option.words.is_empty() && !option.words.contains(&value.as_str()) {
                let words = option.words.join(", ");
                return Err(format!("--{} has one of these values: {words}", option.name));
            }
            self.words.given.push((option.name, value));
        }
        Ok(None)
    }

    fn option(&self, is_it: impl Fn(&Opt) -> bool, written: &str) -> Result<&'static Opt, String> {
        let all = || self.own().options.iter().chain(&EVERYWHERE);
        all().find(|own| is_it(own)).ok_or_else(|| {
            let names = all().map(|own| own.name);
            let near = near(written.trim_start_matches('-'), names);
            let tip = near.map(|name| format!(" (do you mean --{name}?)")).unwrap_or_default();
            format!("there is no option {written}{tip}")
        })
    }

    /// Takes a word without a name: a command, or an argument.
    fn take(&mut self, word: &str) -> Result<(), String> {
        let own = self.own();
        let taken = |argument: &&Argument| self.words.has(argument.name);
        let is_first = !own.arguments.iter().any(|argument| taken(&argument));
        if is_first && let Some(command) = own.commands.iter().find(|other| other.name == word) {
            self.chain.push(command);
            self.words.commands.push(command.name);
            return Ok(());
        }
        let free = own.arguments.iter().find(|argument| argument.repeats || !taken(argument));
        let Some(argument) = free else {
            if own.commands.is_empty() {
                return Err(format!("`{word}` is one argument too many"));
            }
            let near = near(word, own.commands.iter().map(|command| command.name));
            let tip = near.map(|name| format!(" (do you mean `{name}`?)")).unwrap_or_default();
            return Err(format!("there is no command `{word}`{tip}"));
        };
        self.words.given.push((argument.name, word.to_owned()));
        Ok(())
    }

    /// Whether a command has to follow.
    fn lacks_command(&self) -> bool {
        self.own().arguments.is_empty() && !self.own().commands.is_empty()
    }

    fn missing(&self) -> Option<String> {
        let lacks = |own: &&Argument| own.is_required && !self.words.has(own.name);
        let argument = self.own().arguments.iter().find(lacks)?;
        Some(format!("{} is missing", argument.name))
    }

    /// The words, with what is usual in place of what is not there.
    fn finished(&mut self) -> Words {
        let own = self.own();
        let arguments = own.arguments.iter().map(|own| (own.name, own.usual));
        let options = own.options.iter().map(|own| (own.name, own.usual));
        for (name, usual) in arguments.chain(options) {
            if let Some(usual) = usual.filter(|_| !self.words.has(name)) {
                self.words.given.push((name, usual.to_owned()));
            }
        }
        std::mem::take(&mut self.words)
    }

    fn name(&self) -> String {
        self.chain.iter().map(|own| own.name).collect::<Vec<_>>().join(" ")
    }

    fn wrong(&self, wrong: &str) -> String {
        let name = self.name();
        let usage = usage_lines(self.own(), &name);
        format!("doorward: error: {wrong}\n\n{usage}\nFor more information, try '{name} --help'.\n")
    }

    fn help(&self) -> String {
        help(self.own(), &self.name())
    }
}

fn text(value: std::ffi::OsString) -> Result<String, String> {
    value.into_string().map_err(|_| "an argument is no text".to_owned())
}

/// The help of a command.
fn help(own: &Usage, name: &str) -> String {
    let mut out = format!("{}\n\n{}", own.about, usage_lines(own, name));
    let commands: Vec<_> =
        own.commands.iter().map(|own| (own.name.to_owned(), own.about.to_owned())).collect();
    let arguments: Vec<_> = own
        .arguments
        .iter()
        .map(|own| (written(own), [own.about, &usually(own.usual, &[])].concat()))
        .collect();
    let options: Vec<_> = own
        .options
        .iter()
        .chain(&EVERYWHERE)
        .map(|own| (option_written(own), [own.about, &usually(own.usual, own.words)].concat()))
        .collect();
    for (title, rows) in [("Commands", commands), ("Arguments", arguments), ("Options", options)] {
        let width = rows.iter().map(|(name, _)| name.chars().count()).max();
        let Some(width) = width else { continue };
        let _ = writeln!(out, "\n{title}:");
        for (name, about) in rows {
            let _ = writeln!(out, "  {name:width$}  {about}");
        }
    }
    if !own.more.is_empty() {
        let _ = write!(out, "\n{}\n", own.more);
    }
    out
}

fn usage_lines(own: &Usage, name: &str) -> String {
    let mut out = format!("Usage: {name} [OPTIONS]");
    if own.arguments.is_empty() && !own.commands.is_empty() {
        out.push_str(" <COMMAND>");
    }
    for argument in own.arguments {
        let _ = write!(out, " {}", written(argument));
    }
    if !own.arguments.is_empty() {
        for command in own.commands {
            let _ = write!(out, "\n       {name} {} …", command.name);
        }
    }
    out.push('\n');
    out
}

fn written(own: &Argument) -> String {
    let dots = if own.repeats { "..." } else { "" };
    let (open, close) = if own.is_required { ('<', '>') } else { ('[', ']') };
    format!("{open}{}{close}{dots}", own.name)
}

fn option_written(own: &Opt) -> String {
    let short = own.short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
    let value = own.value.map(|value| format!(" <{value}>")).unwrap_or_default();
    format!("{short}--{}{value}", own.name)
}

fn usually(usual: Option<&str>, words: &[&str]) -> String {
    let usual = usual.map(|usual| format!(" [default: {usual}]")).unwrap_or_default();
    match words {
        [] => usual,
        words => format!("{usual} [possible values: {}]", words.join(", ")),
    }
}

/// The name that is meant, if it is near enough.
fn near<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let far = word.chars().count().div_ceil(3);
    let near = names.map(|name| (distance(word, name), name)).min()?;
    (near.0 <= far).then_some(near.1)
}

/// How many letters have to be put in, left out or replaced.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut corner = above;
        let mut left = above.saturating_add(1);
        let mut next = vec![left];
        for (own, up) in other.iter().zip(row.iter().skip(1)) {
            let replaced = corner.saturating_add(usize::from(*own != letter));
            left = replaced.min(left.saturating_add(1)).min(up.saturating_add(1));
            corner = *up;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INNER: Usage = Usage {
        name: "make",
        about: "Make it",
        arguments: &[Argument::required("FILE", "Which")],
        options: &[
            Opt::value("size", "N", "How large"),
            Opt {
                words: &["red", "blue"],
                usual: Some("red"),
                ..Opt::value("colour", "C", "Which")
            },
            Opt { short: Some('v'), ..Opt::flag("verbose", "Say more") },
        ],
        commands: &[],
        more: "That is all.",
    };
    const ROOT: Usage = Usage {
        name: "it",
        about: "Does it",
        arguments: &[],
        options: &[Opt::flag("version", "Print version")],
        commands: &[&INNER],
        more: "",
    };

    fn read_words(line: &str) -> Read {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        read(&ROOT, &args)
    }

    #[test]
    fn words_are_read_by_the_table() {
        let Read::Words(mut words) = read_words("--json make --size=1 a --size 2 -v --colour blue")
        else {
            panic!("refused");
        };
        assert_eq!(words.commands, ["make"]);
        assert!(words.has("json") && words.has("verbose"));
        assert_eq!(words.one("FILE").as_deref(), Some("a"));
        assert_eq!(words.one("colour").as_deref(), Some("blue"));
        assert_eq!(words.all("size"), ["1", "2"]);
        let Read::Words(mut words) = read_words("make -") else { panic!("refused") };
        assert_eq!(words.one("FILE").as_deref(), Some("-"));
        assert_eq!(words.one("colour").as_deref(), Some("red"));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_is_near() {
        let cases = [
            ("", "Does it"),
            ("mak", "there is no command `mak` (do you mean `make`?)"),
            ("xxxxxx", "there is no command `xxxxxx`\n"),
            ("make", "FILE is missing"),
            ("make a b", "`b` is one argument too many"),
            ("make --siz 1 a", "there is no option --siz (do you mean --size?)"),
            ("make a --size", "missing argument for option '--size'"),
            ("make a --colour green", "--colour has one of these values: red, blue"),
            ("make a -x", "there is no option -x\n"),
        ];
        println!("{} lines", cases.len());
        for (line, expected) in cases {
            let read = read_words(line);
            assert!(matches!(&read, Read::Wrong(text) if text.contains(expected)), "{read:?}");
        }
    }

    #[test]
    fn help_shows_the_table() {
        let expected = "\
Make it

Usage: it make [OPTIONS] <FILE>

Arguments:
  <FILE>  Which

Options:
      --size <N>    How large
      --colour <C>  Which [default: red] [possible values: red, blue]
  -v, --verbose     Say more
      --json        Print the answer as JSON
  -h, --help        Print help

That is all.
";
        for line in ["make --help", "help make", "make a -h"] {
            let read = read_words(line);
            assert!(matches!(&read, Read::Help(text) if text == expected), "{read:?}");
        }
    }
}
