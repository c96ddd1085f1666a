//! The election: one replica holds a Lease, and writes nothing that it could not finish while it
//! surely holds it.
//!
//! The clocks of replicas are never compared. Whether a Lease has run out is told from how long
//! this process has seen it unchanged, and every write of it names the version that was read, so of
//! two replicas that try at once one fails.

use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, Error};
use tokio::time::{Instant, sleep, timeout};

use crate::registration::CONTROLLER;

/// Others may take the Lease when it has not been renewed for this long.
const DURATION: Duration = Duration::from_secs(15);
/// Between two attempts to renew it, or to get it.
const RETRY: Duration = Duration::from_secs(4);
/// The holder trusts a renewal for this long: what it begins then ends, with
/// [`crate::api::request::WRITE_TIMEOUT`], before others may take over.
const TRUST: Duration = Duration::from_secs(9);
/// The longest duration that is believed: whoever may write the Lease could otherwise stop all
/// scans for good.
const MAX_DURATION: i32 = 60;

const NO_ANSWER: &str = "the API server does not answer";

/// This replica's share in the election.
pub(super) struct Election {
    leases: Api<Lease>,
    identity: String,
    trusted_until: Mutex<Option<Instant>>,
    /// The holder and the renewal that were seen last, and when they were seen first.
    seen: Mutex<Option<(String, Option<MicroTime>, Instant)>>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    /// The Lease is this replica's.
    Held,
    /// Another one's, and it has not run out.
    Others,
    /// Somebody else wrote it meanwhile.
    Overtaken,
}

impl Election {
    /// Takes part under `identity`, which no other process has.
    pub(super) fn new(client: Client, identity: String) -> Self {
        let leases = Api::default_namespaced(client);
        Self {
            leases,
            identity,
            trusted_until: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    /// Waits until this replica holds the Lease. `failed` hears why an attempt came to nothing.
    pub(super) async fn win(&self, failed: impl Fn(&dyn Display)) {
        loop {
            match timeout(RETRY, self.attempt()).await {
                Ok(Ok(Attempt::Held)) => return,
                Ok(Ok(Attempt::Others | Attempt::Overtaken)) => {}
                Ok(Err(error)) => failed(&error),
                Err(_) => failed(&NO_ANSWER),
            }
            sleep(RETRY).await;
        }
    }

    /// Renews the Lease, and returns when it is lost.
    pub(super) async fn keep(&self, failed: impl Fn(&dyn Display)) {
        loop {
            sleep(RETRY).await;
            match timeout(RETRY, self.attempt()).await {
                Ok(Ok(Attempt::Others)) => *lock(&self.trusted_until) = None,
                Ok(Ok(Attempt::Held | Attempt::Overtaken)) => {}
                Ok(Err(error)) => failed(&error),
                Err(_) => failed(&NO_ANSWER),
            }
            if !self.is_held() {
                return;
            }
        }
    }

    /// True while a write that begins now cannot meet one of another holder.
    pub(super) fn is_held(&self) -> bool {
        lock(&self.trusted_until).is_some_and(|until| Instant::now() < until)
    }

    /// Gives the Lease back, so that nobody has to wait until it runs out.
    pub(super) async fn release(&self) -> Result<(), Error> {
        *lock(&self.trusted_until) = None;
        let Some(mut lease) = self.leases.get_opt(CONTROLLER).await? else {
            return Ok(());
        };
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() != Some(&self.identity) {
            return Ok(());
        }
        spec.holder_identity = Some(String::new());
        self.leases
            .replace(CONTROLLER, &PostParams::default(), &lease)
            .await
            .map(drop)
    }

    async fn attempt(&self) -> Result<Attempt, Error> {
        let began = Instant::now();
        let written = match self.leases.get_opt(CONTROLLER).await? {
            None => {
                let metadata = ObjectMeta {
                    name: Some(CONTROLLER.to_owned()),
                    ..ObjectMeta::default()
                };
                let lease = Lease {
                    metadata,
                    spec: Some(self.taken(&LeaseSpec::default())),
                };
                self.leases.create(&PostParams::default(), &lease).await
            }
            Some(lease) => {
                let spec = lease.spec.clone().unwrap_or_default();
                let own = spec.holder_identity.as_deref() == Some(&self.identity);
                if !own && !self.has_run_out(&spec) {
                    return Ok(Attempt::Others);
                }
                let spec = if own {
                    LeaseSpec {
                        renew_time: Some(now()),
                        ..spec
                    }
                } else {
                    self.taken(&spec)
                };
                // With the version that was read: a Lease that somebody else wrote meanwhile stays
                // theirs.
                self.leases
                    .replace(
                        CONTROLLER,
                        &PostParams::default(),
                        &Lease {
                            spec: Some(spec),
                            ..lease
                        },
                    )
                    .await
            }
        };
        match written {
            Ok(_) => {
                *lock(&self.trusted_until) = Some(began + TRUST);
                Ok(Attempt::Held)
            }
            Err(Error::Api(status)) if status.code == 409 => Ok(Attempt::Overtaken),
            Err(error) => Err(error),
        }
    }

    /// The Lease as this replica takes it over from `old`.
    fn taken(&self, old: &LeaseSpec) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: Some(now()),
            renew_time: Some(now()),
            lease_transitions: Some(
                old.lease_transitions
                    .map_or(0, |count| count.saturating_add(1)),
            ),
            ..LeaseSpec::default()
        }
    }

    /// True if nobody holds the Lease, or its holder has not renewed it for its duration.
    fn has_run_out(&self, spec: &LeaseSpec) -> bool {
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        if holder.is_empty() {
            return true;
        }
        let mut seen = lock(&self.seen);
        match &*seen {
            Some((known, renewal, since)) if known == holder && *renewal == spec.renew_time => {
                let seconds = spec
                    .lease_duration_seconds
                    .unwrap_or(MAX_DURATION)
                    .clamp(1, MAX_DURATION);
                since.elapsed() > Duration::from_secs(u64::from(seconds.unsigned_abs()))
            }
            _ => {
                *seen = Some((holder.to_owned(), spec.renew_time.clone(), Instant::now()));
                false
            }
        }
    }
}

/// A name that no other process has: of the machine, which in a cluster is the Pod's, and a number
/// by chance.
pub(super) fn identity() -> String {
    use std::hash::{BuildHasher, Hasher};
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    // The standard library seeds it from the system's source of randomness.
    let chance = std::hash::RandomState::new().build_hasher().finish();
    format!("{}_{chance:016x}", host.trim())
}

/// Each lock guards one assignment, so a panic leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now() -> MicroTime {
    MicroTime(Timestamp::now())
}
