//! What the host is asked to do, and what is learned from the results. One purpose, one file: what
//! is missing, the request that is made for it, what its result means, what a request remembers of
//! it.
//!
//! A new purpose is a file with a [`Purpose`] and its line in the list below. Hosts know only the
//! five kinds of effects ([`Effect`]).

pub(crate) mod assertion;
pub(crate) mod deny_list;
mod key;
pub(crate) mod keys;
pub(crate) mod learned;
mod lookup;
mod measured;
pub(crate) mod page;
pub(crate) mod pending;
mod service;
pub(crate) mod session;
mod set_cookies;
pub(crate) mod signature;
pub(crate) mod state;
pub(crate) mod storage;
pub(crate) mod token;
pub(crate) mod wait;
pub(crate) mod watch;

use crate::better_auth::session_record::LookupFailure;
use crate::cache::session_events::Moment;
use crate::effect::{Effect, EffectResult, Fetch, StoreRead};
use crate::http::request::RequestHead;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::time::UnixTime;

use self::key::EffectKey;
use self::learned::Learned;
use self::measured::Measured;
use self::state::{EffectState, LEASE_MILLIS};
use self::watch::Watch;

/// With less time left no effect begins.
const LEAST_EFFECT_MILLIS: i64 = 50;

/// Something that can be missing for a decision.
pub(crate) trait Purpose {
    /// What its result is read with: it waits beside the effect.
    type Pending;
    /// What a request remembers of the results.
    type Memory: Memory;

    /// The reason of a request that is refused because nothing could be learned.
    fn reason(&self) -> Reason;

    /// What the host is to do about it, and what is done with the result.
    ///
    /// # Errors
    /// There is no time or no budget for it.
    fn begin(
        self,
        head: &RequestHead<'_>,
        context: &mut Context<'_>,
    ) -> Result<Begun, LookupFailure>;

    /// Learns what the effect has brought, for all requests and for its own.
    fn learn(
        pending: Self::Pending,
        effect: Effect,
        result: &EffectResult<'_>,
        context: &mut Context<'_>,
    );

    /// The effect had too little time, because others kept its request waiting: that says nothing
    /// about whoever was asked.
    fn give_up(_: &Self::Pending, _: &mut Context<'_>) {}

    /// Drops what the request has learned about sessions to which something has happened since.
    fn drop_overtaken(_: &mut Context<'_>) {}
}

/// What a request remembers of one purpose.
pub(crate) trait Memory: Default {
    /// About how many bytes it keeps in memory.
    fn weight(&self) -> usize {
        0
    }
}

impl Memory for () {}

/// An effect that begins, and what is done with its result.
pub(crate) type Begun = (Effect, Continuation);

/// What effects begin with, and where that which is learned from them goes.
pub(crate) struct Context<'c> {
    pub(crate) policy: &'c Policy,
    /// What all requests share.
    pub(crate) state: &'c mut EffectState,
    /// What this request has asked for and learned.
    pub(crate) progress: &'c mut RequestProgress,
    pub(crate) now: UnixTime,
}

/// What one request has asked for and learned so far.
pub(crate) struct RequestProgress {
    /// When the request came in: what has been asked since then is asked for it too.
    pub(crate) arrival: Moment,
    /// All effects of a request share this deadline.
    pub(crate) deadline: UnixTime,
    /// What has been asked for, successfully or not.
    asked: Vec<EffectKey>,
    /// What has been asked for once more.
    asked_again: Vec<EffectKey>,
    /// What is remembered of each purpose.
    pub(crate) memory: Memories,
    /// What the auth service had to say besides.
    pub(crate) learned: Learned,
    /// There is no time or no budget for anything more: what is known already has to do.
    pub(crate) has_given_up: bool,
    /// What is looked at when the origin's response is there.
    pub(crate) watch: Watch,
}

/// Makes of the list what has a part for each purpose.
macro_rules! purposes {
    ($($(#[$doc:meta])* $Name:ident: $file:ident $Missing:ident,)+) => {
        /// What has to be known first.
        pub(crate) enum Missing {
            $($(#[$doc])* $Name(Box<$file::$Missing>),)+
        }

        $(impl From<$file::$Missing> for Missing {
            fn from(missing: $file::$Missing) -> Self {
                Self::$Name(Box::new(missing))
            }
        })+

        /// What the engine will do with the result of an effect.
        pub(crate) enum Continuation {
            $($Name(<$file::$Missing as Purpose>::Pending),)+
        }

        /// What one request remembers of each purpose.
        #[derive(Default)]
        pub(crate) struct Memories {
            $(pub(crate) $file: <$file::$Missing as Purpose>::Memory,)+
        }

        impl Missing {
            /// The reason of a request that cannot wait for it.
            pub(crate) fn reason(&self) -> Reason {
                match self { $(Self::$Name(missing) => missing.reason(),)+ }
            }

            /// What it is for, as a label of measurements.
            const fn purpose(&self) -> &'static str {
                match self { $(Self::$Name(_) => stringify!($file),)+ }
            }

            fn begin_at_once(
                self,
                head: &RequestHead<'_>,
                context: &mut Context<'_>,
            ) -> Result<Begun, LookupFailure> {
                match self { $(Self::$Name(missing) => missing.begin(head, context),)+ }
            }
        }

        impl Continuation {
            /// What it is for, as a label of measurements.
            const fn purpose(&self) -> &'static str {
                match self { $(Self::$Name(_) => stringify!($file),)+ }
            }

            fn learn_at_once(
                self,
                effect: Effect,
                result: &EffectResult<'_>,
                context: &mut Context<'_>,
            ) {
                match self {
                    $(Self::$Name(pending) => {
                        <$file::$Missing>::learn(pending, effect, result, context);
                    })+
                }
            }

            fn give_up(&self, context: &mut Context<'_>) {
                match self { $(Self::$Name(pending) => <$file::$Missing>::give_up(pending, context),)+ }
            }
        }

        impl Memories {
            /// About how many bytes they keep in memory.
            pub(crate) fn weight(&self) -> usize {
                [$(self.$file.weight()),+].into_iter().fold(0, usize::saturating_add)
            }
        }

        impl Context<'_> {
            fn drop_overtaken_results(&mut self) {
                $(<$file::$Missing>::drop_overtaken(self);)+
            }
        }
    };
}

// The list of purposes. Each line: its name, its file, and in that what is missing. A file knows
// the list and the list its files, so that no path stands here (`tests/architecture.rs`).
purposes! {
    /// The key set of an issuer.
    Keys: keys KeySetQuery,
    /// What a service's storage has about a session.
    Storage: storage Lookup,
    /// What the auth service says about a session.
    Session: session Question,
    /// A token of the auth service for the user of a session.
    Token: token TokenQuestion,
    /// The list of what has been revoked.
    DenyList: deny_list DenyListQuery,
    /// The platform's verdict on a signature.
    Check: signature ToCheck,
    /// The platform's signature on the assertion.
    Sign: assertion ToSign,
    /// What another request is asking for.
    Wait: wait Wait,
    /// A page of the application that is shown in place of the gate's own.
    Page: page PageToShow,
}

impl Missing {
    /// What to send the host for, within the time that the request has left.
    ///
    /// # Errors
    /// There is no time or no budget for it: the reason of a refusal, and why.
    pub(crate) fn begin(
        self,
        head: &RequestHead<'_>,
        context: &mut Context<'_>,
    ) -> Result<Begun, (Reason, LookupFailure)> {
        let (reason, purpose) = (self.reason(), self.purpose());
        let left = context.progress.deadline.millis_since(context.now);
        if left < LEAST_EFFECT_MILLIS {
            return Err((reason, context.progress.run_out_of_time()));
        }
        match self.begin_at_once(head, context) {
            Ok((effect, continuation)) => Ok((within(effect, left), continuation)),
            Err(failure) => {
                measured::not_begun(purpose, failure, context.state);
                Err((reason, failure))
            }
        }
    }
}

impl Continuation {
    /// Learns what an effect has brought, for all requests and for its own.
    pub(crate) fn learn(
        self,
        effect: Effect,
        result: &EffectResult<'_>,
        context: &mut Context<'_>,
    ) {
        let about = (&*context.state, &mut context.progress.learned);
        let measured = Measured::of(self.purpose(), &effect, about);
        // A refusal is decided already, and what the application sends says nothing of whom the
        // gate asks.
        if matches!(self, Self::Page(())) {
            self.learn_at_once(effect, result, context);
            if let Some(measured) = measured {
                measured.count(result, context.state, &context.progress.learned);
            }
            return;
        }
        let is_failure = matches!(result, EffectResult::Failed | EffectResult::Unreachable(_));
        let url = match &effect {
            Effect::Fetch(fetch) => Some(fetch.url.clone()),
            _ => None,
        };
        if is_failure && context.progress.was_kept_waiting(context.now) {
            context.progress.learned.failure = Some(LookupFailure::KeptWaiting);
            self.give_up(context);
        } else {
            self.learn_at_once(effect, result, context);
        }
        if let Some(seconds) = lookup::clock_difference(result, context.now) {
            context.state.clock_difference = seconds;
        }
        if let Some(measured) = measured {
            measured.count(result, context.state, &context.progress.learned);
        }
        let learned = &mut context.progress.learned;
        let is_good = matches!(result, EffectResult::Answered { status: 200, .. });
        let has_failed = learned.failure.is_some() || learned.deny_list.is_some();
        if let Some(url) = url.filter(|_| has_failed || !is_good)
            && !matches!(result, EffectResult::Copied(_))
        {
            learned.lookup = Some(Box::new(lookup::findings(&url, result)));
        }
    }
}

impl Context<'_> {
    /// What this request has learned of sessions to which something has happened since does not
    /// count for it any more: nor do the cookies that came with it.
    pub(crate) fn drop_overtaken(&mut self) {
        self.drop_overtaken_results();
        let (arrived, learned) = (self.progress.arrival.number, &mut self.progress.learned);
        if learned.cookies_of.iter().any(|(session, heard)| {
            self.state.events.has_overtaken(session, *heard, arrived, self.now)
        }) {
            learned.set_cookies.clear();
            learned.cookies_of.clear();
        }
    }

    /// Until when a lease lasts that is taken now.
    const fn lease_end(&self) -> UnixTime {
        self.now.plus_millis(LEASE_MILLIS)
    }
}

impl RequestProgress {
    /// The progress of a request that has come in at this moment, and may take so long.
    pub(crate) fn new(arrival: Moment, patience_millis: i64) -> Self {
        Self {
            arrival,
            deadline: arrival.at.plus_millis(patience_millis),
            asked: Vec::new(),
            asked_again: Vec::new(),
            memory: Memories::default(),
            learned: Learned { arrived: Some(arrival.at), ..Learned::default() },
            has_given_up: false,
            watch: Watch::default(),
        }
    }

    /// About how many bytes it keeps in memory.
    fn weight(&self) -> usize {
        let cookies = self.learned.set_cookies.iter().map(String::len);
        let request = self.learned.request.as_ref().map(|request| request.weight());
        cookies.chain(request).fold(self.memory.weight(), usize::saturating_add)
    }

    /// Whether what has failed now had less than its usual time, because this request had to wait
    /// for others.
    pub(crate) fn was_kept_waiting(&self, now: UnixTime) -> bool {
        self.memory.wait.times > 0 && self.deadline.millis_since(now) < LEAST_EFFECT_MILLIS
    }

    /// Whether all that it lacks is its own turn: others were before it, and did not come back in
    /// time.
    pub(crate) fn has_waited_in_vain(&self) -> bool {
        matches!(
            self.learned.failure,
            Some(LookupFailure::KeptWaiting | LookupFailure::OutOfBudget)
        )
    }

    /// Whether this request has asked for that already.
    pub(crate) fn has_asked(&self, key: &EffectKey) -> bool {
        self.asked.contains(key)
    }

    /// This request asks for that, or does not have to any more.
    fn note_asked(&mut self, key: EffectKey) {
        self.asked.push(key);
    }

    /// What was said about this does not count any more: it may be asked for again, once. After
    /// that the request has failed.
    fn ask_again(&mut self, key: EffectKey) {
        if self.asked_again.contains(&key) {
            self.learned.failure = Some(LookupFailure::Changed);
        } else {
            self.asked.retain(|asked| *asked != key);
            self.asked_again.push(key);
        }
    }

    /// There is no time left for what it needs; gives why.
    fn run_out_of_time(&mut self) -> LookupFailure {
        let failure = match (self.memory.wait.is_for_turn, self.memory.wait.times) {
            (true, _) => LookupFailure::OutOfBudget,
            (false, 0) => LookupFailure::OutOfTime,
            (false, _) => LookupFailure::KeptWaiting,
        };
        // What others have failed at is worth knowing, but it does not excuse what is the gate's
        // own.
        let learned = self.learned.failure.filter(|_| failure == LookupFailure::OutOfTime);
        self.learned.failure = learned.or(Some(failure));
        failure
    }
}

/// The same in what its request has left: the second of two slow fetches gets less time than the
/// first.
fn within(effect: Effect, left_millis: i64) -> Effect {
    let at_most = |timeout_ms: u32| u32::try_from(left_millis).unwrap_or(u32::MAX).min(timeout_ms);
    match effect {
        Effect::Fetch(fetch) => {
            Effect::Fetch(Fetch { timeout_ms: at_most(fetch.timeout_ms), ..fetch })
        }
        Effect::Read(read) => {
            Effect::Read(StoreRead { timeout_ms: at_most(read.timeout_ms), ..read })
        }
        other => other,
    }
}
