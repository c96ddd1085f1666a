"""Creates every row of rows.py on the node and tells whether its container reached the daemon.

    enter.sh FOLDER python3 attack.py FOLDER open|enforce

`open`: undock is not installed; every row must reach the daemon, or the row proves nothing. `enforce`: in a
namespace labelled so none may, but for those of which a warning is all that is right. Exit code 1 otherwise.
"""
import sys
import time

from api import Api
from rows import WARNED, rows

PLACES = {
    "Pod": "/api/v1/namespaces/{}/pods",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "PersistentVolume": "/api/v1/persistentvolumes",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
}
# Longer than kubelet takes to start all rows on two busy cores.
PATIENCE = 90


def create(api, namespace, objects):
    """Returns the refusals of the webhook; any other failure is an error of the row itself."""
    refused = []
    for thing in objects:
        status, answer = api.call("POST", PLACES[thing["kind"]].format(namespace), thing)
        if status == 403 and "admission webhook" in answer.get("message", ""):
            refused.append(thing["kind"])
        elif status != 201:
            refused.append(f"NOT CREATED {status} {str(answer)[:200]}")
    return refused


def main():
    folder, mode = sys.argv[1:3]
    tag = f"{mode}-{int(time.time())}"
    api = Api()
    labels = {"undock.dev/mode": mode} if mode == "enforce" else {}
    api.call("POST", "/api/v1/namespaces", {"metadata": {"name": tag, "labels": labels}})
    # The default ServiceAccount of a new namespace takes a moment; without it Pods are refused.
    while api.call("GET", f"/api/v1/namespaces/{tag}/serviceaccounts/default")[0] != 200:
        time.sleep(0.2)
    before = read(folder)
    refused = {row: create(api, tag, objects) for row, objects in rows(tag).items()}
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
        right = right or (row in WARNED and word == "REACHED")
        failed += not right
        print(f"{'ok  ' if right else 'FAIL'} {row:16} {word:17} {', '.join(kinds)}", flush=True)
    print(f"{len(refused) - failed} passed, {failed} failed")
    api.call("DELETE", f"/api/v1/namespaces/{tag}")
    sys.exit(failed > 0)


def read(folder):
    try:
        return open(folder + "/reached").read().split()
    except FileNotFoundError:
        return []


main()
