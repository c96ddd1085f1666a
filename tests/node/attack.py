"""Creates every row of rows.py on the node and tells whether its container reached the daemon.

    enter.sh FOLDER python3 attack.py FOLDER open|enforce

`open`: undock is not installed; every row must reach the daemon, or the row proves nothing. `enforce`: in a
namespace labelled so none may, but for those of which a warning is all that is right. Exit code 1 otherwise.
"""
import sys
import time

from api import Api
from rows import SOCKET, WARNED, env, harmless, host, pod, rows, socket_pod

PLACES = {
    "Pod": "/api/v1/namespaces/{}/pods",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "PersistentVolume": "/api/v1/persistentvolumes",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
}
# Longer than kubelet takes to start all rows on two busy cores.
PATIENCE = 90


def create(api, namespace, objects, warned):
    """Adds the rows' names that were warned about to `warned`. Returns the refusals of the webhook; any other failure is an error of the row itself."""
    refused = []
    for thing in objects:
        status, answer = api.call("POST", PLACES[thing["kind"]].format(namespace), thing)
        if api.warned and thing["kind"] == "Pod":
            warned.add(thing["spec"]["containers"][0]["env"][-1]["value"])
        if status == 403 and "admission webhook" in answer.get("message", ""):
            refused.append(thing["kind"])
        elif status != 201:
            refused.append(f"NOT CREATED {status} {str(answer)[:200]}")
    return refused


def make_namespace(api, name, labels):
    api.call("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    # Its ServiceAccount takes a moment; without it Pods are refused.
    while api.call("GET", f"/api/v1/namespaces/{name}/serviceaccounts/default")[0] != 200:
        time.sleep(0.2)


def remove_volumes(api):
    """Of earlier runs: without their finalizer, because their claims may still be there."""
    path = PLACES["PersistentVolume"]
    for volume in api.call("GET", path)[1]["items"]:
        name = volume["metadata"]["name"]
        api.call("DELETE", f"{path}/{name}")
        patch = {"metadata": {"finalizers": None}}
        api.call("PATCH", f"{path}/{name}", patch, kind="application/merge-patch+json")
    while api.call("GET", path)[1]["items"]:
        time.sleep(0.2)
    # Watches follow within moments.
    time.sleep(1)


def ephemeral(api, namespace):
    """A Pod that mounts the socket nowhere, and an ephemeral container beside 8,000 variables that does."""
    row = "a1-ephemeral"
    carrier = pod(row, ["/bin/sleep", "600"], volumes=[host(SOCKET)])
    path = PLACES["Pod"].format(namespace)
    status, made = api.call("POST", path, carrier)
    if status != 201:
        return ["Pod"]
    for _ in range(PATIENCE):
        made = api.call("GET", f"{path}/{row}")[1]
        if made["status"].get("phase") == "Running":
            break
        time.sleep(1)
    added = dict(socket_pod(row)["spec"]["containers"][0], name="later")
    added["env"] = [env(f"V{i}", "") for i in range(8000)] + added["env"]
    made["spec"]["ephemeralContainers"] = [added]
    status, answer = api.call("PUT", f"{path}/{row}/ephemeralcontainers", made)
    if status == 403 and "admission webhook" in answer.get("message", ""):
        return ["Pod"]
    return [] if status == 200 else [f"NOT CREATED {status} {str(answer)[:200]}"]


def weaken(api, namespace, labels, part):
    """As bob, who is in no group that may weaken a namespace: off, through a subresource."""
    binding = {
        "metadata": {"name": "bob"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"}],
    }
    api.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    make_namespace(api, namespace, labels)
    path = f"/api/v1/namespaces/{namespace}"
    changed = api.call("GET", path)[1]
    changed["metadata"]["labels"]["undock.dev/mode"] = "off"
    api.call("PUT", f"{path}/{part}", changed, user="bob")


def main():
    folder, mode = sys.argv[1:3]
    tag = f"{mode}-{int(time.time())}"
    api = Api()
    labels = {"undock.dev/mode": mode} if mode == "enforce" else {}
    remove_volumes(api)
    make_namespace(api, tag, labels)
    before = read(folder)
    warned = set()
    refused = {row: create(api, tag, objects, warned) for row, objects in rows(tag).items()}
    refused["a1-ephemeral"] = ephemeral(api, tag)
    for part in ("status", "finalize"):
        row = f"a8-{part}"
        weaken(api, f"{tag}-{part}", labels, part)
        refused[row] = create(api, f"{tag}-{part}", [socket_pod(row)], warned)
    admitted = {name: create(api, tag, [made], warned) for name, made in harmless().items()}
    end = time.time() + PATIENCE
    awaited = {row for row, kinds in refused.items() if not {"Pod", "StatefulSet"} & set(kinds)}
    while time.time() < end and awaited - set(read(folder)[len(before):]):
        time.sleep(1)
    reached = set(read(folder)[len(before):])
    failed = 0
    for row, kinds in refused.items():
        if row in reached:
            word = "REACHED"
        elif any(kind.startswith("NOT") for kind in kinds):
            word = "broken"
        else:
            word = "refused" if kinds else "did not reach it"
        right = word == "REACHED" if mode == "open" else word in ("refused", "did not reach it")
        right = right or (row in WARNED and row in warned and word == "REACHED")
        failed += not right
        print(f"{'ok  ' if right else 'FAIL'} {row:16} {word:17} {', '.join(kinds)}", flush=True)
    for name, kinds in admitted.items():
        failed += bool(kinds)
        print(f"{'FAIL' if kinds else 'ok  '} {name:16} {'refused' if kinds else 'admitted'}", flush=True)
    print(f"{len(refused) + len(admitted) - failed} passed, {failed} failed")
    for namespace in (tag, f"{tag}-status", f"{tag}-finalize"):
        api.call("DELETE", f"/api/v1/namespaces/{namespace}")
    sys.exit(failed > 0)


def read(folder):
    try:
        return open(folder + "/reached").read().split()
    except FileNotFoundError:
        return []


if __name__ == "__main__":
    main()
