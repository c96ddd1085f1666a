//! Certificates that change on disk, as kubelet changes them, while the API server keeps calling.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::support::answer::Answer;
use crate::support::client::Tls;
use crate::support::eventually;
use crate::support::process::Undock;
use crate::support::reviews::{bytes, clean_pod, create};

/// A CA that signs serving certificates.
pub(crate) struct Authority {
    certificate: Certificate,
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().unwrap();
        Self {
            certificate: params.self_signed(&key).unwrap(),
            params,
            key,
        }
    }

    /// A certificate for 127.0.0.1 and its key, in PEM.
    pub(crate) fn pair(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let string_field = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = string_field
            .signed_by(&key, &Issuer::from_params(&self.params, &self.key))
            .unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// A mounted Secret: files that are links into `..data`, which is a link to a folder of one version.
struct Mount(PathBuf);

impl Mount {
    fn new(folder: &Path, pair: &(String, String)) -> Self {
        let mount = Self(folder.to_owned());
        mount.update(0, pair);
        for name in ["tls.crt", "tls.key"] {
            symlink(Path::new("..data").join(name), folder.join(name)).unwrap();
        }
        mount
    }

    /// What kubelet does (pkg/volume/util/atomic_writer.go): a new folder, a link to it, a rename over the old link.
    fn update(&self, version: u32, (certificate, key): &(String, String)) {
        let name = format!("..version_{version}");
        let folder = self.0.join(&name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("tls.crt"), certificate).unwrap();
        fs::write(folder.join("tls.key"), key).unwrap();
        symlink(&name, self.0.join("..data_tmp")).unwrap();
        fs::rename(self.0.join("..data_tmp"), self.0.join("..data")).unwrap();
        if version > 0 {
            fs::remove_dir_all(self.0.join(format!("..version_{}", version - 1))).unwrap();
        }
    }

    fn serve(&self) -> Undock {
        let path = |name: &str| self.0.join(name).to_str().unwrap().to_owned();
        Undock::serve(&[
            "--tls-cert",
            &path("tls.crt"),
            "--tls-key",
            &path("tls.key"),
        ])
    }
}

fn der(pair: &(String, String)) -> Vec<u8> {
    CertificateDer::from_pem_slice(pair.0.as_bytes())
        .unwrap()
        .to_vec()
}

/// A CA for the clients of a server whose certificates come from `authority`.
fn trusting(authority: &Authority) -> Tls {
    Tls::new(&authority.certificate.pem())
}

#[test]
fn three_swaps_in_a_row_lose_no_call() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let first = authority.pair();
    let mount = Mount::new(folder.path(), &first);
    let undock = mount.serve();
    let tls = trusting(&authority);
    let body = bytes(&create(clean_pod()));
    let served = || {
        tls.connect(undock.address)
            .expect("a connection")
            .server_certificate()
    };
    assert_eq!(served(), der(&first));
    let done = AtomicBool::new(false);
    let calls = thread::scope(|scope| {
        // A failed call panics, which the scope passes on.
        let kept_alive = scope.spawn(|| {
            let mut client = tls.connect(undock.address).unwrap();
            let mut calls = 0;
            while !done.load(Ordering::Relaxed) {
                Answer::of(&client.post(&body));
                calls += 1;
                thread::sleep(Duration::from_millis(5));
            }
            calls
        });
        for version in 1..=3 {
            let pair = authority.pair();
            mount.update(version, &pair);
            eventually("the new certificate", || {
                let mut client = tls
                    .connect(undock.address)
                    .expect("new connections work throughout");
                Answer::of(&client.post(&body));
                (client.server_certificate() == der(&pair)).then_some(())
            });
        }
        done.store(true, Ordering::Relaxed);
        kept_alive.join().unwrap()
    });
    assert!(calls > 100, "{calls}");
    assert_eq!(undock.metric("undock_certificate_errors_total"), 0);
    assert_eq!(undock.admin("/readyz").0, 200);
}

#[test]
fn a_pair_that_is_not_whole_keeps_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (first, second) = (authority.pair(), authority.pair());
    let mount = Mount::new(folder.path(), &first);
    let undock = mount.serve();
    let tls = trusting(&authority);
    let served = || {
        tls.connect(undock.address)
            .expect("a connection")
            .server_certificate()
    };
    let errors = || undock.metric("undock_certificate_errors_total");
    let (certificate, key) = &second;
    let half = &certificate[..certificate.len() / 2];
    for (version, pair) in [
        (1, (half.to_owned(), key.clone())),
        (2, (first.0.clone(), key.clone())),
    ] {
        let before = errors();
        mount.update(version, &pair);
        eventually("the mistake in the metrics", || {
            (errors() > before).then_some(())
        });
        assert_eq!(served(), der(&first), "version {version}");
    }
    assert_eq!(
        undock.admin("/readyz").0,
        200,
        "what is served is still good"
    );
    mount.update(3, &second);
    eventually("the whole pair", || {
        (served() == der(&second)).then_some(())
    });
}
