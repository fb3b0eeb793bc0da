//! `cargo xtask test alerts`: the rules for Prometheus, tried on the series of real faults, and the
//! queries of the dashboard.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::debian;
use crate::shell::{self, Failure, Result};

/// What Grafana puts in the place of the interval of a rate.
const INTERVAL: &str = "$__rate_interval";

/// Tries the rules and reads the dashboard's queries with promtool, which it installs if need be.
pub(crate) fn test() -> Result {
    debian::ensure("prometheus", &["/usr/bin/promtool", "/usr/local/bin/promtool"])?;
    let root = shell::root();
    let promtool =
        |arguments: &[&str]| shell::run(&mut shell::command("promtool", arguments, &root));
    promtool(&["check", "rules", "docs/alerts/prometheus.yml"])?;
    promtool(&["test", "rules", "docs/alerts/tests.yml"])?;
    let file = root.join("docs/alerts/dashboard.json");
    let text = fs::read_to_string(&file)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", file.display())))?;
    let dashboard: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("{} is no JSON: {error}", file.display())))?;
    let queries = queries(&dashboard)?;
    let rule = |(number, query): (usize, &String)| json!({ "record": format!("panel:{number}"), "expr": query });
    let rules: Vec<Value> = queries.iter().enumerate().map(rule).collect();
    // JSON is YAML.
    let groups = json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    let made = shell::target_directory()?.join("dashboard-rules.yml");
    fs::write(&made, groups.to_string())
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}", made.display())))?;
    promtool(&["check", "rules", &made.display().to_string()])?;
    shell::say(format!("{} queries of the dashboard are read by promtool", queries.len()));
    Ok(())
}

/// The queries of all panels, whose form Grafana would take.
fn queries(dashboard: &Value) -> Result<Vec<String>> {
    let panels = dashboard.get("panels").and_then(Value::as_array);
    let (mut ids, mut queries) = (BTreeSet::new(), Vec::new());
    for panel in panels.into_iter().flatten() {
        let text = |name: &str| panel.get(name).and_then(Value::as_str).unwrap_or_default();
        let number = |place: &str| panel.pointer(place).and_then(Value::as_u64);
        let place = ["/gridPos/x", "/gridPos/y", "/gridPos/w", "/gridPos/h"].map(number);
        let [x, _, w, _] = place.map(Option::unwrap_or_default);
        let fits = place.iter().all(Option::is_some) && x.saturating_add(w) <= 24;
        let is_own = ids.insert(number("/id"));
        if text("title").is_empty() || text("type").is_empty() || !fits || !is_own {
            let title = text("title");
            let problem = "has no title, type, place or id of its own";
            return Err(Failure::new(format!("the panel `{title}` {problem}")));
        }
        let targets = panel.get("targets").and_then(Value::as_array).into_iter().flatten();
        let of_target = |target: &Value| target.get("expr")?.as_str().map(str::to_owned);
        queries.extend(targets.filter_map(of_target).map(|query| query.replace(INTERVAL, "5m")));
    }
    if queries.is_empty() { Err(Failure::new("the dashboard has no query")) } else { Ok(queries) }
}

#[cfg(test)]
mod tests {
    use super::{Value, json, queries};

    #[test]
    fn a_panel_that_grafana_would_not_show_is_refused() {
        let panel = |id: u64, title: &str, x: u64| {
            let place = json!({ "x": x, "y": 0, "w": 12, "h": 8 });
            json!({ "id": id, "title": title, "type": "timeseries", "gridPos": place, "targets": [{ "expr": "rate(a[$__rate_interval])" }] })
        };
        let found = |panels: Vec<Value>| queries(&json!({ "panels": panels })).ok();
        assert_eq!(
            found(vec![panel(1, "a", 0), panel(2, "b", 12)]),
            Some(vec!["rate(a[5m])".to_owned(); 2])
        );
        assert_eq!(found(vec![panel(1, "a", 0), panel(1, "b", 12)]), None);
        assert_eq!(found(vec![panel(1, "", 0)]), None);
        assert_eq!(found(vec![panel(1, "a", 13)]), None);
        assert_eq!(found(vec![]), None);
    }
}
