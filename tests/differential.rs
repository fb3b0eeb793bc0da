//! The same tokens to Doorward and to the crate `jsonwebtoken`. What Doorward accepts,
//! `jsonwebtoken` accepts; what only `jsonwebtoken` accepts, Doorward refuses by a rule that
//! `docs/strictness.md` names.
//!
//! `DOORWARD_DIFFERENTIAL=full`: 20,000 tokens by 502 keys instead of a tenth of that.
//! `DOORWARD_SEED=<n>`: others. `middleware/test/differential.test.js` does the same with jose.
//! Dates are far from any clock: `jsonwebtoken` reads one.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)] // a test that panics has found something

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::{Config, Decision, Effect, EffectResult, Engine, RequestHead, UnixTime};
use p256::ecdsa::signature::Signer as _;
use serde_json::{Value, json};

const STRICTNESS: &str = include_str!("../docs/strictness.md");
const PRIVATE_KEYS: &str = include_str!("vectors/keys.json");
const ISSUER: &str = "https://issuer.test";
const AUDIENCE: &str = "https://api.test";
const NOW: i64 = 1_800_000_000;
const PAST: i64 = 1_000_000_000;
const FUTURE: i64 = 4_000_000_000;

#[test]
fn what_doorward_accepts_jsonwebtoken_accepts() {
    let full = std::env::var("DOORWARD_DIFFERENTIAL").is_ok_and(|size| size == "full");
    let seed =
        std::env::var("DOORWARD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7519);
    let (tokens, keys) = if full { (20_000, 502) } else { (2_000, 52) };
    let mut random = Random(seed);
    let mut keys: Vec<Judged> =
        (0..keys).map(|number| Judged::new(Key::new(number, &mut random))).collect();
    let mut counts: BTreeMap<&str, [u32; 4]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for _ in 0..tokens {
        let of = random.below(keys.len());
        let class = if random.below(2) == 0 {
            &CLASSES[random.below(HONEST)]
        } else {
            &CLASSES[random.below(CLASSES.len())]
        };
        let token = (class.make)(&keys[of].key, &mut random);
        let ours = keys[of].doorward(&token);
        let theirs = keys[of].jsonwebtoken(&token);
        let count = counts.entry(class.name).or_default();
        count[0] += 1;
        match (ours, theirs) {
            (Ok(()), true) => count[1] += 1,
            (Err(_), false) => count[2] += 1,
            (Ok(()), false) => wrong
                .push(format!("{}: ACCEPTED, and jsonwebtoken refuses it: {token}", class.name)),
            (Err(reason), true) if class.reasons.contains(&reason.as_str()) => count[3] += 1,
            (Err(reason), true) => wrong
                .push(format!("{}: {reason}, and jsonwebtoken accepts it: {token}", class.name)),
        }
    }
    for (class, [all, both, neither, only]) in &counts {
        println!(
            "{class}: {all} tokens, {both} accepted by both, {neither} by neither, {only} by jsonwebtoken only"
        );
    }
    let sum = |at: usize| counts.values().map(|count| count[at]).sum::<u32>();
    println!(
        "{}, seed {seed}: {} tokens by {} keys; {} accepted by both, {} by neither, {} by jsonwebtoken only and refused by a named rule",
        if full { "full size" } else { "a tenth of the full size (DOORWARD_DIFFERENTIAL=full)" },
        sum(0),
        keys.len(),
        sum(1),
        sum(2),
        sum(3),
    );
    assert!(
        wrong.is_empty(),
        "{} tokens differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(10)].join("\n")
    );
    assert!(sum(1) * 3 >= sum(0), "less than a third is valid");
    for class in CLASSES.iter().filter(|class| !class.rule.is_empty()) {
        assert!(
            STRICTNESS.contains(&format!("| `{}` | ", class.rule)),
            "docs/strictness.md has no rule `{}`",
            class.rule
        );
    }
}

// ---- the classes
// -----------------------------------------------------------------------------------------------------

/// A kind of token, and by which rule it is refused, for which reasons, where others accept it.
struct Class {
    name: &'static str,
    rule: &'static str,
    reasons: &'static [&'static str],
    make: fn(&Key, &mut Random) -> String,
}

const fn class(
    name: &'static str,
    rule: &'static str,
    reasons: &'static [&'static str],
    make: fn(&Key, &mut Random) -> String,
) -> Class {
    Class { name, rule, reasons, make }
}

/// So many of the classes are honest tokens; they come first.
const HONEST: usize = 7;

const CLASSES: [Class; 30] = [
    class("honest", "", &[], |key, random| key.signed(&key.header(), &claims(random))),
    class("honest: no typ", "", &[], |key, random| {
        key.signed(&without(key.header(), "typ"), &claims(random))
    }),
    class("honest: no kid", "", &[], |key, random| {
        key.signed(&without(key.header(), "kid"), &claims(random))
    }),
    class("honest: typ in full", "", &[], |key, random| {
        key.signed(&with(key.header(), "typ", json!("application/jwt")), &claims(random))
    }),
    class("honest: several audiences", "", &[], |key, random| {
        key.signed(&key.header(), &with(claims(random), "aud", json!(["b", AUDIENCE])))
    }),
    class("honest: more claims", "", &[], |key, random| {
        key.signed(&key.header(), &with(claims(random), "x", json!({"y": [1, null, "é"]})))
    }),
    class("honest: dates", "", &[], |key, random| {
        key.signed(
            &key.header(),
            &with(with(claims(random), "nbf", json!(PAST)), "exp", json!(4e9 + 0.5)),
        )
    }),
    class("another typ", "typ", &["type_mismatch"], |key, random| {
        key.signed(
            &with(key.header(), "typ", random.pick(&[json!("at+jwt"), json!(""), json!("JOSE")])),
            &claims(random),
        )
    }),
    class("header members of another type", "header-types", &["token_malformed"], |key, random| {
        let name = random.pick(&["typ", "kid", "cty"]);
        key.signed(
            &with(key.header(), name, random.pick(&[json!(1), json!(null), json!(["JWT"])])),
            &claims(random),
        )
    }),
    class("header that closes doors", "closed-header", &["token_unsupported"], |key, random| {
        let (name, value) = random.pick(&[
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("cty", json!("JWT")),
        ]);
        key.signed(&with(key.header(), name, value), &claims(random))
    }),
    class("another alg", "", &[], |key, random| {
        key.signed(
            &with(
                key.header(),
                "alg",
                random.pick(&[json!("none"), json!("HS256"), json!("RS512"), json!(""), json!(1)]),
            ),
            &claims(random),
        )
    }),
    class("unknown kid", "", &[], |key, random| {
        key.signed(&with(key.header(), "kid", json!("another")), &claims(random))
    }),
    class(
        "a member twice",
        "strict-json",
        &["token_malformed", "claims_malformed"],
        |key, random| {
            let twice = |value: Value, member: &str| {
                format!("{},{member}}}", value.to_string().trim_end_matches('}'))
            };
            let member =
                random.pick(&["\"sub\":\"root\"", "\"exp\":4000000001", "\"x\":{\"a\":1,\"a\":2}"]);
            if random.below(2) == 0 {
                key.signed_text(&key.header().to_string(), &twice(claims(random), member))
            } else {
                key.signed_text(
                    &twice(key.header(), "\"alg\":\"none\""),
                    &claims(random).to_string(),
                )
            }
        },
    ),
    class("deep claims", "strict-json", &["claims_malformed"], |key, random| {
        let deep = format!(
            "{},\"x\":{}{}}}",
            claims(random).to_string().trim_end_matches('}'),
            "[".repeat(20),
            "]".repeat(20)
        );
        key.signed_text(&key.header().to_string(), &deep)
    }),
    class("claims that are no JSON object", "", &[], |key, random| {
        let text = random.pick(&["[]", "null", "1", "", "{", "{} x"]);
        key.signed_text(&key.header().to_string(), text)
    }),
    class("a claim is missing", "required-claims", &["claim_missing"], |key, random| {
        let name = random.pick(&["exp", "iss", "aud", "sub"]);
        key.signed(&key.header(), &without(claims(random), name))
    }),
    class("claims of another type", "claim-types", &["claims_malformed"], |key, random| {
        let name = random.pick(&["exp", "iss", "aud", "sub", "nbf", "iat"]);
        let value = random.pick(&[
            json!([ISSUER]),
            json!([AUDIENCE, 1]),
            json!("4000000000"),
            json!(null),
            json!({"a": 1}),
            json!(true),
        ]);
        // A text is a good subject, issuer or audience, though not the right one.
        key.signed(
            &key.header(),
            &with(
                claims(random),
                name,
                if name == "sub" && value.is_string() { json!(1) } else { value },
            ),
        )
    }),
    class("dates out of range", "claim-types", &["claims_malformed"], |key, random| {
        let value = random.pick(&["1e300", "-1", "1e12", "99999999999999999999", "-1e300"]);
        let late = format!(
            "{},\"exp\":{value}}}",
            without(claims(random), "exp").to_string().trim_end_matches('}')
        );
        key.signed_text(&key.header().to_string(), &late)
    }),
    class("expired", "", &[], |key, random| {
        key.signed(&key.header(), &with(claims(random), "exp", json!(PAST)))
    }),
    class("not yet valid", "", &[], |key, random| {
        key.signed(&key.header(), &with(claims(random), "nbf", json!(FUTURE - 1)))
    }),
    class("issued in the future", "from-the-future", &["token_not_yet_valid"], |key, random| {
        key.signed(&key.header(), &with(claims(random), "iat", json!(FUTURE - 1)))
    }),
    class("another issuer or audience", "", &[], |key, random| {
        let name = random.pick(&["iss", "aud"]);
        key.signed(
            &key.header(),
            &with(
                claims(random),
                name,
                random.pick(&[json!(""), json!("https://evil.test"), json!([])]),
            ),
        )
    }),
    class("too large", "size", &["token_too_large"], |key, random| {
        let (header, claim) = random.pick(&[(2000, 1), (1, 16_000)]);
        key.signed(
            &with(key.header(), "x", json!("x".repeat(header))),
            &with(claims(random), "x", json!("x".repeat(claim))),
        )
    }),
    class("no signature", "", &[], |key, random| {
        let token = key.signed(
            &with(key.header(), "alg", random.pick(&[json!("none"), json!(key.alg)])),
            &claims(random),
        );
        token[..=token.rfind('.').unwrap_or_default()].to_owned()
    }),
    class("a signature of zeros, ones or noise", "", &[], |key, random| {
        let fill = [random.pick(&[0, 255, 1]), random.byte()][random.below(2)];
        changed(key, random, 2, |bytes| bytes.fill(fill))
    }),
    class("a bit of the signature", "", &[], |key, random| {
        let (at, bit) = (random.below(64), random.below(8));
        changed(key, random, 2, |bytes| bytes[at] ^= 1 << bit)
    }),
    class("a bit of the claims", "", &[], |key, random| {
        let (at, bit) = (random.below(64), random.below(7));
        changed(key, random, 1, |bytes| bytes[at] ^= 1 << bit)
    }),
    class("s and the order", "", &[], |key, random| {
        // Little-endian order of Ed25519's group; for the other kinds it is just another signature.
        let order = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
            0xde, 0x14,
        ];
        changed(key, random, 2, |bytes| {
            let mut perform = 0;
            for (at, byte) in bytes.iter_mut().skip(32).take(32).enumerate() {
                let add = order.get(at).copied().unwrap_or(if at == 31 { 0x10 } else { 0_u8 });
                let sum = u16::from(*byte) + u16::from(add) + perform;
                *byte = sum.to_le_bytes()[0];
                perform = sum >> 8;
            }
        })
    }),
    class(
        "written differently",
        "base64url",
        &["token_malformed", "credential_malformed"],
        |key, random| {
            let token = key.signed(&key.header(), &claims(random));
            let at = 1 + random.below(token.len() - 2);
            let put = random.pick(&["", "=", "A", ".", "%", "\t", " "]);
            format!("{}{put}{}", &token[..at], &token[at + random.below(2)..])
        },
    ),
    class("trailing bits", "base64url", &["token_malformed"], |key, random| {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut token = key.signed(&key.header(), &claims(random));
        let last = token.pop().and_then(|last| ALPHABET.find(last)).unwrap_or_default();
        token.push(char::from(ALPHABET.as_bytes()[last ^ 1]));
        token
    }),
];

fn claims(random: &mut Random) -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": format!("user-{}", random.below(1_000_000)), "iat": PAST, "exp": FUTURE })
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().and_then(|members| members.remove(name));
    object
}

/// An honest token with other bytes in one of its parts.
fn changed(
    key: &Key,
    random: &mut Random,
    part: usize,
    change: impl FnOnce(&mut Vec<u8>),
) -> String {
    let token = key.signed(&key.header(), &claims(random));
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let mut bytes = URL_SAFE_NO_PAD.decode(&parts[part]).unwrap_or_default();
    change(&mut bytes);
    parts[part] = base64url(&bytes);
    parts.join(".")
}

// ---- keys
// ------------------------------------------------------------------------------------------------------------

enum Private {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Rsa(rsa::PrivateKey),
}

struct Key {
    alg: &'static str,
    kid: String,
    jwk: Value,
    private: Private,
}

impl Key {
    /// Two of RSA, which are slow to make and therefore those of the vectors; all others as the
    /// seed has them.
    fn new(number: usize, random: &mut Random) -> Self {
        let kid = format!("key-{number}");
        let (alg, private, mut jwk) = match number {
            0 => Self::of_rsa("rsa", "RS256"),
            1 => Self::of_rsa("rsa2", "PS256"),
            _ => Self::of_curve(number % 8, random),
        };
        jwk["kid"] = json!(kid);
        Self { alg, kid, jwk, private }
    }

    fn of_curve(kind: usize, random: &mut Random) -> (&'static str, Private, Value) {
        let seed: [u8; 32] = std::array::from_fn(|_| random.byte());
        match kind {
            0..4 => {
                let key = ed25519_dalek::SigningKey::from_bytes(&seed);
                let x = base64url(key.verifying_key().as_bytes());
                ("EdDSA", Private::Ed25519(key), json!({ "kty": "OKP", "crv": "Ed25519", "x": x }))
            }
            4..7 => {
                let key = p256::ecdsa::SigningKey::from_slice(&seed)
                    .unwrap_or_else(|error| panic!("{error}"));
                let point = key.verifying_key().to_sec1_point(false);
                let [x, y] = [1..33, 33..65].map(|part| base64url(&point.as_bytes()[part]));
                (
                    "ES256",
                    Private::P256(key),
                    json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }),
                )
            }
            _ => {
                let scalar = [&[0; 16][..], &seed].concat();
                let key = p384::ecdsa::SigningKey::from_slice(&scalar)
                    .unwrap_or_else(|error| panic!("{error}"));
                let point = key.verifying_key().to_sec1_point(false);
                let [x, y] = [1..49, 49..97].map(|part| base64url(&point.as_bytes()[part]));
                (
                    "ES384",
                    Private::P384(key),
                    json!({ "kty": "EC", "crv": "P-384", "x": x, "y": y }),
                )
            }
        }
    }

    fn of_rsa(name: &str, alg: &'static str) -> (&'static str, Private, Value) {
        let keys: Value = serde_json::from_str(PRIVATE_KEYS).unwrap_or_default();
        let number = |member: &str| {
            let text = keys[name][member].as_str().unwrap_or_default();
            rsa::BoxedUint::from_be_slice_vartime(&URL_SAFE_NO_PAD.decode(text).unwrap_or_default())
        };
        let key = rsa::PrivateKey::from_components(
            number("n"),
            number("e"),
            number("d"),
            vec![number("p"), number("q")],
        );
        let jwk = json!({ "kty": "RSA", "n": keys[name]["n"], "e": keys[name]["e"] });
        (alg, Private::Rsa(key.unwrap_or_else(|error| panic!("{error}"))), jwk)
    }

    fn header(&self) -> Value {
        json!({ "alg": self.alg, "kid": self.kid, "typ": "JWT" })
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        self.signed_text(&header.to_string(), &claims.to_string())
    }

    fn signed_text(&self, header: &str, claims: &str) -> String {
        use rsa::sha2::{Digest as _, Sha256};
        let input = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        let signature = match &self.private {
            Private::Ed25519(key) => key.sign(input.as_bytes()).to_bytes().to_vec(),
            Private::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(input.as_bytes());
                signature.to_bytes().to_vec()
            }
            Private::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(input.as_bytes());
                signature.to_bytes().to_vec()
            }
            Private::Rsa(key) => {
                let digest = Sha256::digest(&input);
                let signature = if self.alg == "RS256" {
                    key.sign(rsa::Pkcs1v15Sign::new::<Sha256>(), &digest)
                } else {
                    key.sign_with_rng(
                        &mut Random(u64::from(digest[0])),
                        rsa::Pss::<Sha256>::new(),
                        &digest,
                    )
                };
                signature.unwrap_or_else(|error| panic!("{error}"))
            }
        };
        format!("{input}.{}", base64url(&signature))
    }
}

// ---- the two sides
// ---------------------------------------------------------------------------------------------------

struct Judged {
    key: Key,
    engine: Engine,
    key_set: String,
    decoding_key: jsonwebtoken::DecodingKey,
    validation: jsonwebtoken::Validation,
}

impl Judged {
    fn new(key: Key) -> Self {
        let document = json!({
            "issuers": [{ "type": "jwt", "issuer": ISSUER, "audience": AUDIENCE, "jwks_url": "https://issuer.test/jwks" }],
            "rules": [{ "path": "/**", "access": "required" }],
        });
        let config =
            Config::parse(&document.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
        let policy = config
            .compile(&BTreeMap::new(), &doorward_native::capabilities())
            .unwrap_or_else(|errors| panic!("{errors:?}"));
        let jwk = serde_json::from_value(key.jwk.clone()).unwrap_or_else(|error| panic!("{error}"));
        let mut validation = jsonwebtoken::Validation::new(
            key.alg.parse().unwrap_or_else(|error| panic!("{error}")),
        );
        validation.leeway = 5;
        validation.validate_nbf = true;
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        Self {
            key_set: json!({ "keys": [key.jwk] }).to_string(),
            engine: Engine::new(policy, 7),
            decoding_key: jsonwebtoken::DecodingKey::from_jwk(&jwk)
                .unwrap_or_else(|error| panic!("{error}")),
            validation,
            key,
        }
    }

    fn doorward(&mut self, token: &str) -> Result<(), String> {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        let head = RequestHead {
            method: "GET",
            target: "/",
            headers: &headers,
            public_origin: "https://app.test",
            client_address: None,
        };
        let now = UnixTime::from_millis(NOW * 1000);
        let mut decision = self.engine.decide(&head, now);
        loop {
            decision = match decision {
                Decision::Perform(pending) => {
                    let result = match pending.effect() {
                        Effect::Check(check) => doorward_native::check(check),
                        _ => EffectResult::Answered {
                            status: 200,
                            headers: &[],
                            body: self.key_set.as_bytes(),
                        },
                    };
                    self.engine.resume(&head, pending, result, now)
                }
                Decision::Forward(_) => return Ok(()),
                Decision::Respond(_) => return Err("respond".to_owned()),
                Decision::Redirect(answer) | Decision::Reject(answer) => {
                    return Err(answer.reason.code().to_owned());
                }
            }
        }
    }

    /// As its users do: the header's `kid` picks the key.
    fn jsonwebtoken(&self, token: &str) -> bool {
        let names_key = jsonwebtoken::decode_header(token)
            .is_ok_and(|header| header.kid.is_none_or(|kid| kid == self.key.kid));
        names_key
            && jsonwebtoken::decode::<Value>(token, &self.decoding_key, &self.validation).is_ok()
    }
}

// ---- chance
// ----------------------------------------------------------------------------------------------------------

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap_or(1)).unwrap_or_default()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }
}

/// For salts: throwaway keys sign here, and what is found has to be found again.
impl rsa::rand_core::TryRng for Random {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_le_bytes(self.next().to_le_bytes().first_chunk().copied().unwrap_or_default()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill_with(|| self.byte());
        Ok(())
    }
}

impl rsa::rand_core::TryCryptoRng for Random {}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
