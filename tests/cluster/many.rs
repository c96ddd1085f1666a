//! Many objects at once: kubectl makes one after the other, which for thousands of them takes too long.

use std::path::Path;

use futures::{StreamExt, stream};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;

/// Requests that are under way at a time.
const AT_ONCE: usize = 12;

/// Posts each object to its path, and gives what the API server made of it, in the same order.
pub(crate) fn create(kubeconfig: &Path, objects: Vec<(String, Value)>) -> Vec<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("the kubeconfig of the run");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .expect("the kubeconfig of the run");
        let client = Client::try_from(config).expect("a client");
        let made = stream::iter(objects).map(|(path, object)| {
            let client = client.clone();
            async move {
                let request =
                    axum::http::Request::post(&path).header("Content-Type", "application/json");
                let request = request
                    .body(object.to_string().into_bytes())
                    .expect("a request");
                client
                    .request::<Value>(request)
                    .await
                    .unwrap_or_else(|error| panic!("{path}: {error}"))
            }
        });
        made.buffered(AT_ONCE).collect().await
    })
}
