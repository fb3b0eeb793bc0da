//! What the gate is set up with, and what happens: every combination of it.

use serde_json::{Value, json};

/// How much of its life the cookie cache has left when a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// The service has none.
    Never,
    Fresh,
    /// In its last part: a page renews it.
    Due,
    /// It has run out: a request has to be asked about.
    Gone,
}

/// What the host does with the response of the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// It passes it on, and tells the gate what it sets.
    Sees,
    /// It never sees it: what there is to add to it is known before.
    SeesNothing,
}

/// What the gate is set up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setup {
    pub(crate) host: Host,
    pub(crate) instances: usize,
    pub(crate) age: Age,
    /// Whether each instance has served this browser before.
    pub(crate) is_warm: bool,
    /// Whether instances share what they hear.
    pub(crate) shares: bool,
    /// Whether the service's storage is read.
    pub(crate) has_storage: bool,
    /// Whether the API behind the gate takes tokens of the service.
    pub(crate) has_token_exchange: bool,
    /// Milliseconds from one step to the next; 0 where clocks stand still while nothing is waited
    /// for, as in Workers.
    pub(crate) tick: i64,
    /// How many effects may fail on a path.
    pub(crate) faults: u32,
    /// How often eleven seconds may pass.
    pub(crate) pauses: u32,
    /// Whether Ada has just asked for so much that the gate asks no more for her.
    pub(crate) is_flooded: bool,
}

impl Setup {
    /// The document of the gate.
    pub(crate) fn document(&self) -> (Value, Value) {
        let mut issuer =
            json!({ "token_locations": ["authorization"], "share_sessions": self.shares });
        if self.has_storage {
            issuer["storage"] = json!({ "store": "SESSIONS", "lag_seconds": 60 });
        }
        let api = if self.has_token_exchange {
            json!({ "path": "/api/**", "access": "required", "token_exchange": true, "upstream": "https://api.example.com" })
        } else {
            json!({ "path": "/api/**", "access": "required" })
        };
        let document = json!({
            "rules": [
                { "path": ["{auth}/**", "/sign-in"], "access": "public" },
                api,
                { "path": ["/", "/app/**"], "access": "required" },
                { "path": "/strict/**", "access": "required", "max_staleness_seconds": 0 },
            ],
            "claim_headers": { "org": "session.activeOrganizationId" },
            "debug_header": false,
        });
        (issuer, document)
    }
}

impl std::fmt::Display for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            host,
            instances,
            age,
            is_warm,
            shares,
            has_storage,
            has_token_exchange,
            tick,
            faults,
            pauses,
            is_flooded,
        } = self;
        let flags = [
            (*is_warm, "warm"),
            (*shares, "shared copies"),
            (*has_storage, "storage"),
            (*has_token_exchange, "token exchange"),
            (*tick == 0, "clock stands still"),
            (*faults > 0, "faults"),
            (*pauses > 0, "pauses"),
            (*is_flooded, "after a flood of Ada's"),
        ];
        let flags: Vec<&str> =
            flags.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
        write!(
            f,
            "host {host:?}, {instances} instance(s), cookie cache {age:?}, {}",
            flags.join(", ")
        )
    }
}

/// One thing that a user does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Ada's browser looks at a page.
    Page,
    /// Her browser has a script call the API.
    Call,
    /// Her browser switches the organisation, below the auth path.
    Switch,
    /// Her browser switches it by an action of the application, whose response sets the cookies.
    Action,
    /// Her browser signs out.
    SignOut,
    /// In her browser Bob signs in, without that she has signed out.
    SignIn,
    /// A client that has kept her cookies as they were looks at a page.
    Kept,
    /// Ada's session ends, and this gate hears nothing of it: it is deleted in the database.
    Elsewhere,
    /// Carol's browser looks at a page.
    Another,
    /// Ada's browser wants to know for certain: only before a path begins.
    Strict,
}

impl Kind {
    pub(crate) const ALL: [Self; 9] = [
        Self::Page,
        Self::Call,
        Self::Switch,
        Self::Action,
        Self::SignOut,
        Self::SignIn,
        Self::Kept,
        Self::Elsewhere,
        Self::Another,
    ];

    /// Whether it changes what is true, by a request through the gate.
    pub(crate) const fn is_write(self) -> bool {
        matches!(self, Self::Switch | Self::Action | Self::SignOut | Self::SignIn)
    }

    /// Whether it is sent by Ada's browser.
    pub(crate) const fn is_of_the_browser(self) -> bool {
        !matches!(self, Self::Kept | Self::Elsewhere | Self::Another | Self::Strict)
    }
}

/// What is done, and through which instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) instance: usize,
}

/// What is explored by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) setup: Setup,
    pub(crate) plans: Vec<Plan>,
}

/// How much is explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Every combination.
    All,
    /// Every promise with every kind of request, and of the rest a part.
    Part,
}

/// In part, one of so many jobs of up to two requests, and of three.
const PART: [usize; 2] = [25, 2500];

/// Everything that there is to explore: fewer requests first, so that the first story of a fault is
/// a short one.
pub(crate) fn jobs(extent: Extent) -> Vec<Job> {
    let mut jobs = Vec::new();
    for kinds in sets_of_kinds() {
        for setup in setups(&kinds) {
            jobs.extend(
                placed(&kinds, setup.instances)
                    .into_iter()
                    .map(|plans| Job { setup: setup.clone(), plans }),
            );
        }
    }
    if extent == Extent::All {
        jobs.sort_by_key(|job| job.plans.len());
        return jobs;
    }
    let (few, many): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| job.plans.len() < 3);
    // A step that has no divisor in common with how the jobs are ordered comes to a bit of
    // everything.
    let part = |jobs: Vec<Job>, one_of: usize| {
        let count = jobs.len();
        (0..count / one_of).map(move |number| jobs[number * 7919 % count].clone())
    };
    // Floods are few.
    let floods: Vec<Job> =
        few.iter().filter(|job| job.setup.is_flooded && job.plans.len() == 1).cloned().collect();
    floods.into_iter().chain(part(few, PART[0])).chain(part(many, PART[1])).collect()
}

/// Up to three things that are done; of three at least one changes something, and at most two do.
fn sets_of_kinds() -> Vec<Vec<Kind>> {
    let mut sets = Vec::new();
    for (number, first) in Kind::ALL.into_iter().enumerate() {
        sets.push(vec![first]);
        for (place, second) in Kind::ALL.into_iter().enumerate().skip(number) {
            sets.push(vec![first, second]);
            sets.extend(Kind::ALL.into_iter().skip(place).map(|third| vec![first, second, third]));
        }
    }
    let changes = |kinds: &[Kind]| {
        kinds.iter().filter(|kind| kind.is_write() || **kind == Kind::Elsewhere).count()
    };
    sets.retain(|kinds| kinds.len() < 3 || (1..3).contains(&changes(kinds)));
    // A client that has kept its cookies is none before there are others.
    sets.retain(|kinds| !kinds.contains(&Kind::Kept) || changes(kinds) > 0);
    // Her session ends elsewhere once.
    sets.retain(|kinds| kinds.iter().filter(|kind| **kind == Kind::Elsewhere).count() < 2);
    sets
}

/// At which instance each of them is done. Instances are alike: the first thing is done at the
/// first.
fn placed(kinds: &[Kind], instances: usize) -> Vec<Vec<Plan>> {
    let all = (0..instances.pow(u32::try_from(kinds.len() - 1).unwrap_or(0))).map(|number| {
        let instance = |place: usize| {
            if place == 0 {
                0
            } else {
                number / instances.pow(u32::try_from(place - 1).unwrap_or(0)) % instances
            }
        };
        let mut plans: Vec<Plan> = kinds
            .iter()
            .enumerate()
            .map(|(place, kind)| Plan { kind: *kind, instance: instance(place) })
            .collect();
        plans.sort();
        plans
    });
    let mut all: Vec<Vec<Plan>> =
        all.filter(|plans| instances == 1 || plans.iter().any(|plan| plan.instance == 1)).collect();
    all.sort();
    all.dedup();
    all
}

fn setups(kinds: &[Kind]) -> Vec<Setup> {
    let has_token_exchange = kinds.contains(&Kind::Call);
    let mut setups = Vec::new();
    for host in [Host::Sees, Host::SeesNothing] {
        // A host that sees nothing of a response cannot hear of a change that the application makes
        // by itself.
        if host == Host::SeesNothing && kinds.contains(&Kind::Action) {
            continue;
        }
        for (instances, shares, has_storage) in [
            (1, false, false),
            (1, false, true),
            (2, false, false),
            (2, true, false),
            (2, false, true),
        ] {
            for (age, is_warm) in [
                (Age::Never, true),
                (Age::Never, false),
                (Age::Gone, true),
                (Age::Gone, false),
                (Age::Due, false),
                (Age::Fresh, has_token_exchange),
            ] {
                for (tick, faults, pauses, is_flooded) in [
                    (1, 0, 0, false),
                    (0, 0, 0, false),
                    (1, 1, 0, false),
                    (1, 0, 1, false),
                    (0, 0, 0, true),
                ] {
                    if is_flooded && !kinds.contains(&Kind::Another) {
                        continue;
                    }
                    let (shared, limits) = (
                        (shares, has_storage, has_token_exchange),
                        (tick, faults, pauses, is_flooded),
                    );
                    setups.push(setup((host, instances), (age, is_warm), shared, limits));
                }
            }
        }
    }
    setups
}

#[allow(clippy::type_complexity)] // as the loops have them
const fn setup(
    (host, instances): (Host, usize),
    (age, is_warm): (Age, bool),
    (shares, has_storage, has_token_exchange): (bool, bool, bool),
    (tick, faults, pauses, is_flooded): (i64, u32, u32, bool),
) -> Setup {
    Setup {
        host,
        instances,
        age,
        is_warm,
        shares,
        has_storage,
        has_token_exchange,
        tick,
        faults,
        pauses,
        is_flooded,
    }
}
