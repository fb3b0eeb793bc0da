//! Checks and makes signatures with Web Crypto.

use std::cell::RefCell;

use doorward::{Algorithm, SignatureCheck, SignatureRequest};
use doorward_host::Failure;
use js_sys::{Array, JSON, Object, Reflect, Uint8Array};
use wasm_bindgen::JsValue;

use crate::platform::{self, import_key, verify};

/// How many imported keys an instance keeps; the oldest goes first.
const KEYS: usize = 64;

struct Imported {
    name: String,
    usage: &'static str,
    algorithm: Algorithm,
    ready: Ready,
}

/// A key, and Web Crypto's parameters for its use.
#[derive(Clone)]
struct Ready {
    key: JsValue,
    parameters: Object,
}

thread_local! {
    static IMPORTED: RefCell<Vec<Imported>> = const { RefCell::new(Vec::new()) };
}

/// The platform's verdict. An exception is no verdict: it is a failure, or something that the
/// platform does not do.
pub(crate) async fn check(check: &SignatureCheck) -> Result<bool, Failure> {
    verdict(check).await.map_err(failure)?.as_bool().ok_or(Failure::Failed)
}

/// The platform's signature, or the failure.
pub(crate) async fn sign(request: &SignatureRequest) -> Result<Vec<u8>, Failure> {
    signature(request).await.map_err(failure)?.ok_or(Failure::Unsupported)
}

async fn verdict(check: &SignatureCheck) -> Result<JsValue, JsValue> {
    let Some(Ready { key, parameters }) =
        imported(&check.thumbprint, &check.key, check.algorithm, "verify").await?
    else {
        return Ok(JsValue::UNDEFINED);
    };
    verify(&parameters, &key, &check.signature, &check.signing_input).await
}

async fn signature(request: &SignatureRequest) -> Result<Option<Vec<u8>>, JsValue> {
    let Some(Ready { key, parameters }) =
        imported(&request.kid, &request.key, request.algorithm, "sign").await?
    else {
        return Ok(None);
    };
    let signature = platform::sign(&parameters, &key, &request.input).await?;
    Ok(Some(Uint8Array::new(&signature).to_vec()))
}

/// The key, imported once; nothing for an algorithm that Web Crypto is not asked for.
async fn imported(
    name: &str,
    jwk: &str,
    algorithm: Algorithm,
    usage: &'static str,
) -> Result<Option<Ready>, JsValue> {
    if let Some(ready) = kept(name, algorithm, usage) {
        return Ok(Some(ready));
    }
    let Some((import, parameters)) = parameters(algorithm) else {
        return Ok(None);
    };
    let key =
        import_key("jwk", &JSON::parse(jwk)?, &object(&import)?, false, &Array::of1(&usage.into()))
            .await?;
    let ready = Ready { key, parameters: object(&parameters)? };
    keep(Imported { name: name.to_owned(), usage, algorithm, ready: ready.clone() });
    Ok(Some(ready))
}

type Parameters = Vec<(&'static str, JsValue)>;

/// Web Crypto's parameters for importing a key and for checking with it (RFC 7518 section 3.1, one
/// row each).
fn parameters(algorithm: Algorithm) -> Option<(Parameters, Parameters)> {
    match algorithm {
        // For signing: it is checked inside.
        Algorithm::EdDSA => Some((named("Ed25519"), named("Ed25519"))),
        Algorithm::ES256 => Some(ecdsa("P-256", "SHA-256")),
        Algorithm::ES384 => Some(ecdsa("P-384", "SHA-384")),
        Algorithm::ES512 => Some(ecdsa("P-521", "SHA-512")),
        Algorithm::RS256 => Some(pkcs1("SHA-256")),
        Algorithm::RS384 => Some(pkcs1("SHA-384")),
        Algorithm::RS512 => Some(pkcs1("SHA-512")),
        Algorithm::PS256 => Some(pss("SHA-256", 32)),
        Algorithm::PS384 => Some(pss("SHA-384", 48)),
        Algorithm::PS512 => Some(pss("SHA-512", 64)),
    }
}

fn named(name: &str) -> Parameters {
    vec![("name", name.into())]
}

fn ecdsa(curve: &str, hash: &str) -> (Parameters, Parameters) {
    let name = JsValue::from("ECDSA");
    (
        vec![("name", name.clone()), ("namedCurve", curve.into())],
        vec![("name", name), ("hash", hash.into())],
    )
}

fn pkcs1(hash: &str) -> (Parameters, Parameters) {
    let name = JsValue::from("RSASSA-PKCS1-v1_5");
    (vec![("name", name.clone()), ("hash", hash.into())], vec![("name", name)])
}

/// The salt is as long as the hash (RFC 7518 section 3.5).
fn pss(hash: &str, salt_bytes: u32) -> (Parameters, Parameters) {
    let name = JsValue::from("RSA-PSS");
    (
        vec![("name", name.clone()), ("hash", hash.into())],
        vec![("name", name), ("saltLength", salt_bytes.into())],
    )
}

fn object(members: &[(&str, JsValue)]) -> Result<Object, JsValue> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &JsValue::from_str(name), value)?;
    }
    Ok(object)
}

fn kept(name: &str, algorithm: Algorithm, usage: &str) -> Option<Ready> {
    IMPORTED.with(|imported| {
        let imported = imported.try_borrow().ok()?;
        let same =
            |own: &&Imported| own.algorithm == algorithm && own.name == name && own.usage == usage;
        imported.iter().find(same).map(|imported| imported.ready.clone())
    })
}

fn keep(key: Imported) {
    IMPORTED.with(|imported| {
        let Ok(mut imported) = imported.try_borrow_mut() else { return };
        if imported.len() >= KEYS {
            imported.remove(0);
        }
        imported.push(key);
    });
}

fn failure(exception: JsValue) -> Failure {
    let name = Reflect::get(&exception, &"name".into()).ok().and_then(|name| name.as_string());
    if name.as_deref() == Some("NotSupportedError") {
        Failure::Unsupported
    } else {
        Failure::Failed
    }
}
