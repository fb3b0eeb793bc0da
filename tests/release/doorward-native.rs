//! A crate that needs `doorward-native`: with its signature checks a configuration may ask for RS256.

use std::collections::BTreeMap;

use doorward::{Capabilities, Config};

fn main() {
    let config = r#"{
        "issuers": [{ "type": "jwt", "issuer": "https://issuer.example", "audience": "app",
                      "jwks_url": "https://issuer.example/jwks", "algorithms": ["RS256"] }],
        "rules": [{ "path": "/**", "access": "required" }]
    }"#;
    let compiles = |capabilities: &Capabilities| {
        let config = Config::parse(config).expect("the configuration is JSON");
        config.compile(&BTreeMap::new(), capabilities).is_ok()
    };
    assert!(compiles(&doorward_native::capabilities()), "RS256 cannot be checked");
    assert!(!compiles(&Capabilities::none()), "RS256 needs nobody who checks it");
    println!("RS256 can be checked");
}
