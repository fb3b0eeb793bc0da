//! Checks and makes signatures with Web Crypto.

use std::cell::RefCell;

use doorward::{SignatureCheck, SignatureRequest, SignatureScheme};
use doorward_host::Failure;
use js_sys::{Array, JSON, Object, Reflect, Uint8Array};
use wasm_bindgen::JsValue;

use crate::platform::{self, import_key, verify};

/// How many imported keys an instance keeps; the oldest goes first.
const KEYS: usize = 64;

/// Kinds of signatures, curves and hash functions of workerd's Web Crypto. There is no call that
/// says whether it has one.
const PARTS: [&str; 11] = [
    "RSASSA-PKCS1-v1_5",
    "RSA-PSS",
    "ECDSA",
    "EdDSA",
    "P-256",
    "P-384",
    "P-521",
    "Ed25519",
    "SHA-256",
    "SHA-384",
    "SHA-512",
];

struct Imported {
    name: String,
    usage: &'static str,
    scheme: SignatureScheme,
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

/// Whether the platform checks and makes signatures of this scheme.
pub(crate) fn has(scheme: SignatureScheme) -> bool {
    scheme.is_made_of(&PARTS)
}

/// The platform's verdict. An exception is no verdict: it is a failure, or something that the
/// platform does not do.
pub(crate) async fn check(check: &SignatureCheck) -> Result<bool, Failure> {
    verdict(check).await.map_err(failure)?.as_bool().ok_or(Failure::Failed)
}

/// The platform's signature, or the failure.
pub(crate) async fn sign(request: &SignatureRequest) -> Result<Vec<u8>, Failure> {
    signature(request).await.map_err(failure)
}

async fn verdict(check: &SignatureCheck) -> Result<JsValue, JsValue> {
    let Ready { key, parameters } =
        imported(&check.thumbprint, &check.key, check.scheme, "verify").await?;
    verify(&parameters, &key, &check.signature, &check.signing_input).await
}

async fn signature(request: &SignatureRequest) -> Result<Vec<u8>, JsValue> {
    let Ready { key, parameters } =
        imported(&request.kid, &request.key, request.scheme, "sign").await?;
    let signature = platform::sign(&parameters, &key, &request.input).await?;
    Ok(Uint8Array::new(&signature).to_vec())
}

/// The key, imported once.
async fn imported(
    name: &str,
    jwk: &str,
    scheme: SignatureScheme,
    usage: &'static str,
) -> Result<Ready, JsValue> {
    if let Some(ready) = kept(name, scheme, usage) {
        return Ok(ready);
    }
    let parameters = parameters(scheme)?;
    let key = import_key("jwk", &JSON::parse(jwk)?, &parameters, false, &Array::of1(&usage.into()))
        .await?;
    let ready = Ready { key, parameters };
    keep(Imported { name: name.to_owned(), usage, scheme, ready: ready.clone() });
    Ok(ready)
}

/// Web Crypto's parameters for importing a key and for its use: it reads of them what the kind and
/// the call have use for.
fn parameters(scheme: SignatureScheme) -> Result<Object, JsValue> {
    let name = match scheme {
        SignatureScheme::EdDsa { curve } => curve,
        _ => scheme.kind(),
    };
    let object = Object::new();
    for (name, value) in [
        ("name", Some(name.into())),
        ("namedCurve", scheme.curve().map(JsValue::from)),
        ("hash", scheme.hash().map(|hash| hash.name().into())),
        ("saltLength", scheme.salt_bytes().map(JsValue::from)),
    ] {
        if let Some(value) = value {
            Reflect::set(&object, &name.into(), &value)?;
        }
    }
    Ok(object)
}

fn kept(name: &str, scheme: SignatureScheme, usage: &str) -> Option<Ready> {
    IMPORTED.with(|imported| {
        let imported = imported.try_borrow().ok()?;
        let same = |own: &&Imported| own.scheme == scheme && own.name == name && own.usage == usage;
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
