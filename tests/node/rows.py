"""What tries to reach Docker on the node: one entry for each row, the objects in the order of their creation.

A row's client names it to the daemon through $ROW. `warned` marks rows that may reach the daemon, as long as the
writer was warned: what they reach cannot be known from the object.
"""

BUSYBOX = "docker.io/library/busybox:1.36"
MOUNT = {"name": "v", "mountPath": "/s"}
SOCKET = "/run/docker.sock"


def env(name, value):
    return {"name": name, "value": value}


def field(name, path):
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def host(path, name="v"):
    return {"name": name, "hostPath": {"path": path}}


def pod(row, command, mounts=(), volumes=(), variables=(), image=BUSYBOX, name=None, metadata=None, spec=None, **more):
    container = {
        "name": "c",
        "image": image,
        "command": command,
        "volumeMounts": list(mounts),
        # Last, so that a row's own variables keep their places.
        "env": list(variables) + [env("ROW", row)],
        **more,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name or row, **(metadata or {})},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
            "volumes": list(volumes),
            **(spec or {}),
        },
    }


def socket_pod(row, **more):
    return pod(row, ["/bin/dial", "/s"], [MOUNT], [host(SOCKET)], **more)


def padded(row, change):
    """A Pod with the socket, and padding that no rule reads."""
    made = socket_pod(row)
    change(made)
    return made


def expression(row, text, variables, **more):
    mount = {**MOUNT, "subPathExpr": text}
    return pod(row, ["/bin/dial", "/s"], [mount], [host("/run")], variables, **more)


def volume(name, path, storage_class):
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteMany"],
            "storageClassName": storage_class,
            "hostPath": {"path": path},
        },
    }


def claim_spec(storage_class, volume_name=None):
    spec = {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": "1Gi"}},
    }
    return {**spec, "volumeName": volume_name} if volume_name else spec


def claim(name, **more):
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": claim_spec(**more),
    }


def claim_pod(row, source, sub_path="docker.sock"):
    mount = {**MOUNT, "subPath": sub_path} if sub_path else MOUNT
    return pod(row, ["/bin/dial", "/s"], [mount], [{"name": "v", **source}])


def by_claim(name):
    return {"persistentVolumeClaim": {"claimName": name}}


def host_network(row, target):
    return pod(row, ["/bin/docker", "ps"], variables=[env("DOCKER_HOST", target)], spec={"hostNetwork": True})


def on_host(row, command, variables=(), **more):
    privileged = {"securityContext": {"privileged": True}}
    return pod(row, command, variables=variables, spec={"hostPID": True}, **privileged, **more)


def rows(tag):
    """All rows; `tag` keeps the names of what has no namespace apart between runs."""
    # A storage class for each row: a claim could be given any volume of its class, also another row's.
    pv = lambda row, path="/run": volume(f"{row}-{tag}", path, f"{row}-{tag}")
    given = lambda row: {"storage_class": f"{row}-{tag}", "volume_name": f"{row}-{tag}"}
    wait = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": f"a4-wait-{tag}"},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    labels = {"labels": {"x": "docker.sock"}}
    annotations = {"annotations": {"x": "docker.sock"}}
    more_containers = lambda **c: lambda p: p["spec"]["containers"].append(
        {"name": "pad", "image": BUSYBOX, "command": ["/bin/sleep", "1"], **c}
    )
    chain = [env("A7", "docker.sock")] + [env(f"A{i}", f"$(A{i + 1})") for i in range(6, 0, -1)]
    template = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "a4-template"},
        "spec": {
            "selector": {"matchLabels": {"a": "a4"}},
            "serviceName": "a4",
            "template": {
                "metadata": {"labels": {"a": "a4"}},
                "spec": {**claim_pod("a4-template", {"emptyDir": {}})["spec"], "restartPolicy": "Always", "volumes": []},
            },
            "volumeClaimTemplates": [
                {"metadata": {"name": "v"}, "spec": claim_spec(**given("a4-template"))}
            ],
        },
    }
    ephemeral = {"ephemeral": {"volumeClaimTemplate": {"spec": claim_spec(**given("a4-ephemeral"))}}}
    return {
        # First: while other volumes are free, a claim that does not exist yet could be given one of them.
        "a4-later": [
            claim_pod("a4-later", by_claim("a4-later")),
            claim("a4-later", **given("a4-later")),
            pv("a4-later"),
        ],
        "a1-labels": [padded("a1-labels", lambda p: p["metadata"].update(labels={f"l{i}": "" for i in range(12000)}))],
        "a1-variables": [padded("a1-variables", more_containers(env=[env(f"V{i}", "") for i in range(8000)]))],
        "a1-arguments": [padded("a1-arguments", more_containers(args=[""] * 40000))],
        "a1-escapes": [padded("a1-escapes", more_containers(args=["<" * 120000] * 11))],
        "a2-order": [expression("a2-order", "$(A)", [env("B", "docker.sock"), env("A", "$(B)"), env("B", "lock")])],
        "a2-chain": [expression("a2-chain", "$(A1)", chain)],
        "a2-long": [expression("a2-long", "$(A)", [env("A", "./" * 9000 + "docker.sock")])],
        "a2-name": [expression("a2-name", "$(N)", [field("N", "metadata.name")], name="docker.sock")],
        "a2-label": [expression("a2-label", "$(N)", [field("N", "metadata.labels['x']")], metadata=labels)],
        "a2-annotation": [
            expression("a2-annotation", "$(N)", [field("N", "metadata.annotations['x']")], metadata=annotations)
        ],
        "a3-crio": [
            pod("a3-crio", ["/bin/dial", "/s"], [MOUNT, {"name": "w", "mountPath": "/x"}], [host(SOCKET), host("/run/crio", "w")])
        ],
        "a3-script": [on_host("a3-script", ["/bin/sh", "-c", "crictl ps; nsenter -t 1 -m -- docker ps"])],
        "a4-wait": [
            wait,
            pv("a4-wait"),
            claim("a4-wait", storage_class=f"a4-wait-{tag}"),
            claim_pod("a4-wait", by_claim("a4-wait")),
        ],
        "a4-ephemeral": [pv("a4-ephemeral"), claim_pod("a4-ephemeral", ephemeral)],
        "a4-template": [pv("a4-template"), template],
        "a5-configured": [
            pv("a5-configured", "/run/engine/engine.sock"),
            claim("a5-configured", **given("a5-configured")),
            claim_pod("a5-configured", by_claim("a5-configured"), sub_path=None),
        ],
        "a6-cwd": [pod("a6-cwd", ["/bin/dial", "/s/run/docker.sock"], [MOUNT], [host("/proc/1/cwd")])],
        "a6-thread": [pod("a6-thread", ["/bin/dial", "/s/docker.sock"], [MOUNT], [host("/proc/thread-self/root/run")])],
        "a7-default": [pod("a7-default", ["/bin/dial"], [{"name": "v", "mountPath": "/var/run"}], [host("/var/run")])],
        "a7-image": [
            pod("a7-image", ["/bin/docker", "ps"], [{"name": "v", "mountPath": "/var/run"}], [host("/run")], image="registry.example/docker:27-cli")
        ],
        "a9-any": [host_network("a9-any", "tcp://0.0.0.0:2375")],
        "a9-dot": [host_network("a9-dot", "tcp://localhost.:2375")],
        "a9-mapped": [host_network("a9-mapped", "tcp://[::ffff:127.0.0.1]:2375")],
        "a9-hexadecimal": [host_network("a9-hexadecimal", "tcp://0x7f000001:2375")],
        "a9-node": [host_network("a9-node", "tcp://10.9.8.1:2375")],
        "a10-program": [
            on_host("a10-program", ["/bin/nsenter", "-t", "1", "-m", "--", "$(A)", "ps"], [env("A", "docker")])
        ],
        "a10-script": [on_host("a10-script", ["/bin/sh", "-c", "$CMD"], [env("CMD", "nsenter -t 1 -m -- docker ps")])],
        "a12-argument": [on_host("a12-argument", ["/bin/dial", "/proc/1/root/run/docker.sock"])],
    }


def harmless():
    """What undock must admit: without these, a webhook that refuses everything would pass."""
    labels = {"labels": {f"l{i}": "" for i in range(12000)}}
    sleep = ["/bin/sleep", "1"]
    return {
        "clean": pod("clean", sleep),
        "clean-padded": pod("clean-padded", sleep, metadata=labels),
        "clean-claim": pod("clean-claim", sleep, [MOUNT], [{"name": "v", **by_claim("nothing")}]),
    }


# With nothing but the default path, only a warning is right (row A7).
WARNED = {"a7-default"}
