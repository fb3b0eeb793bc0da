//! Where this host writes what was counted: an Analytics Engine dataset, or the log.

use doorward::{Measurement, UnixTime, event_line};
use js_sys::{Array, JSON, Object, Reflect};
use wasm_bindgen::JsValue;
use worker::Env;

use crate::platform::AnalyticsDataset;

/// A request may write 250 points; and a line of the log is cut when it is too long.
const MAX_POINTS: usize = 200;
const MAX_IN_LINE: usize = 40;

/// Where it is written.
#[derive(Clone)]
pub(crate) enum Sink {
    /// A dataset of Analytics Engine.
    Dataset(AnalyticsDataset),
    /// The log.
    Log,
}

/// Where the deployment wants it: the binding `DOORWARD_ANALYTICS`, or else the log where
/// `DOORWARD_METRICS` is `log`.
pub(crate) fn sink(env: &Env) -> Option<Sink> {
    let variable = |name: &str| Reflect::get(env, &JsValue::from_str(name)).ok();
    let binding = variable("DOORWARD_ANALYTICS").filter(|binding| {
        Reflect::get(binding, &"writeDataPoint".into()).is_ok_and(|write| write.is_function())
    });
    match binding {
        Some(binding) => Some(Sink::Dataset(binding.into())),
        None => {
            let word = variable("DOORWARD_METRICS").and_then(|word| word.as_string());
            (word.as_deref() == Some("log")).then_some(Sink::Log)
        }
    }
}

/// Writes that the configuration has so many mistakes, where it says where to write.
pub(crate) fn write_config_errors(env: &Env, errors: usize, now: UnixTime) {
    let Some(sink) = sink(env) else { return };
    let value = u32::try_from(errors).unwrap_or(u32::MAX).into();
    let (name, labels) = ("doorward_config_errors", Vec::new());
    write(&sink, &[Measurement { name, labels, value, is_gauge: true }], now);
}

/// Writes it there.
pub(crate) fn write(sink: &Sink, measurements: &[Measurement], now: UnixTime) {
    // Classes of durations are many, and what the platform can compute of the points is not made of
    // them.
    let told = || measurements.iter().filter(|one| !one.name.ends_with("_bucket"));
    match sink {
        Sink::Dataset(dataset) => {
            for measurement in told().take(MAX_POINTS) {
                // A dataset that fails decides nothing.
                let _ = dataset.write_data_point(&point(measurement));
            }
        }
        Sink::Log => {
            let all: Vec<JsValue> = told().map(member).collect();
            for some in all.chunks(MAX_IN_LINE) {
                let list: Array = some.iter().collect();
                let json = JSON::stringify(&list).ok().and_then(|text| text.as_string());
                let members = json.map(|json| ("measured", json)).into_iter().collect();
                worker::console_log!("{}", event_line("metrics", members, now));
            }
        }
    }
}

/// A point of Analytics Engine: the index is the name, the blobs are that and the labels in their
/// order, the double is the number.
fn point(measurement: &Measurement) -> Object {
    let name = JsValue::from_str(measurement.name);
    let labels = measurement.labels.iter().map(|(_, value)| JsValue::from_str(value));
    let blobs: Array = [name.clone()].into_iter().chain(labels).collect();
    object([
        ("indexes", Array::of1(&name).into()),
        ("blobs", blobs.into()),
        ("doubles", Array::of1(&measurement.value.into()).into()),
    ])
}

/// A measurement as the log has it.
fn member(measurement: &Measurement) -> JsValue {
    let applies = |(_, value): &&(&str, String)| !value.is_empty();
    let labels = measurement.labels.iter().filter(applies);
    let labels = object(labels.map(|(name, value)| (*name, JsValue::from_str(value))));
    object([
        ("name", JsValue::from_str(measurement.name)),
        ("labels", labels.into()),
        ("value", measurement.value.into()),
    ])
    .into()
}

fn object<'n>(members: impl IntoIterator<Item = (&'n str, JsValue)>) -> Object {
    let object = Object::new();
    for (name, value) in members {
        // An object of one's own takes everything.
        let _ = Reflect::set(&object, &JsValue::from_str(name), &value);
    }
    object
}
