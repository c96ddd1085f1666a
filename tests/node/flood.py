"""Attacks the webhook while Pods are created through the API server; none may be lost.

    enter.sh FOLDER python3 flood.py FOLDER [RATE]

RATE dry-run creations a second (60). For each attack of `ATTACKS`: creations that were answered, refused or lost,
p99, and of the undock Pods the restarts and the largest memory. Exit code 1 if one was lost or a Pod restarted.
"""
import glob
import os
import socket
import ssl
import sys
import threading
import time

from api import Api
from http2 import stall
from rows import BUSYBOX, env, pod, socket_pod

LANES = 8
PODS = "/api/v1/namespaces/{}/pods"


class Load:
    """Creates clean Pods at a steady rate from several connections until `stop`."""

    def __init__(self, rate):
        self.rate, self.stopped, self.lock = rate, False, threading.Lock()
        self.times, self.lost = [], []
        self.lanes = [threading.Thread(target=self.lane, args=(i,)) for i in range(LANES)]
        for lane in self.lanes:
            lane.start()

    def lane(self, number):
        api, due = Api(), time.time() + number / self.rate
        clean = pod("load", ["/bin/sleep", "1"])
        while not self.stopped:
            time.sleep(max(0, due - time.time()))
            due += LANES / self.rate
            began = time.time()
            try:
                status, answer = api.call("POST", PODS.format("load") + "?dryRun=All", clean)
            except OSError as error:
                status, answer = 0, repr(error)
            with self.lock:
                self.times.append(time.time() - began)
                if status != 201:
                    self.lost.append(f"{status} {str(answer)[:200]}")

    def stop(self):
        self.stopped = True
        for lane in self.lanes:
            lane.join()
        self.times.sort()


def undock_pods(api):
    """Address, restarts and the largest memory that its cgroup saw, in MiB, of each undock Pod."""
    pods = api.call("GET", PODS.format("undock"))[1]["items"]
    for item in pods:
        uid, status = item["metadata"]["uid"], item["status"]
        peaks = [
            int(open(path).read())
            for name in ("memory.max_usage_in_bytes", "memory.peak")
            for path in glob.glob(f"/sys/fs/cgroup/**/pod{uid}/{name}", recursive=True)
        ]
        restarts = sum(c["restartCount"] for c in status.get("containerStatuses", []))
        yield item["metadata"]["name"], status.get("podIP"), restarts, max(peaks, default=0) >> 20


def addresses(api):
    return [address for name, address, _, _ in undock_pods(api) if address and "controller" not in name]


def create(api, made, namespace="load"):
    status, answer = api.call("POST", PODS.format(namespace) + "?dryRun=All", made)
    return f"{status} {answer.get('message', '')[:100] if isinstance(answer, dict) else ''}"


def nothing(api):
    time.sleep(10)


def padded_pods(api):
    pads = {f"l{i}": "" for i in range(12000)}
    made = [create(api, socket_pod("padded", metadata={"labels": pads})) for _ in range(10)]
    return made[0]


def references(api):
    """4,000 variables and arguments that refer to them 245,000 times."""
    argument = "/" + "$(z)" * 4090 + "/docker.sock"
    made = socket_pod("references")
    made["spec"]["containers"][0].update(args=[argument] * 60, env=[env(f"n{i}", "") for i in range(4000)])
    return create(api, made)


def links(api):
    made = pod("links", ["/bin/sleep"], [{"name": "v", "mountPath": "/s"}])
    made["spec"]["volumes"] = [{"name": "v", "hostPath": {"path": "/proc/1/root" * 40000}}]
    return create(api, made)


def script(api):
    """One script of 2.9 MB in which every word is a variable that holds docker."""
    return create(api, pod("script", ["/bin/sh", "-c", "D=docker;" + "$D;" * 950000]))


def config_maps(api):
    """60 ConfigMaps of 1 MB, six times that in JSON, and a change that starts a scan."""
    for number in range(60):
        text = '{"metadata":{"name":"big%d"},"data":{"a":"%s"}}' % (number, "<" * 1000000)
        api.call("POST", "/api/v1/namespaces/load/configmaps", text)
    api.call(
        "POST",
        "/apis/apps/v1/namespaces/load/deployments",
        {
            "metadata": {"name": f"change{int(time.time())}"},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"a": "b"}},
                "template": {
                    "metadata": {"labels": {"a": "b"}},
                    "spec": {"containers": [{"name": "c", "image": BUSYBOX}]},
                },
            },
        },
    )
    time.sleep(20)


def http2(api):
    """60 connections with 100 streams of 60 KB each that never end."""
    hosts = addresses(api)
    threads = [threading.Thread(target=stall, args=(hosts[i % len(hosts)], 100, 60000, 15)) for i in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def idle(api):
    """1,200 TLS connections that say nothing, opened again when they are closed, for 30 s."""
    context = ssl._create_unverified_context()
    hosts, end, opened = addresses(api), time.time() + 30, []

    def hold(number):
        while time.time() < end:
            try:
                raw = socket.create_connection((hosts[number % len(hosts)], 8443), timeout=15)
                with context.wrap_socket(raw, server_hostname="undock.undock.svc") as connection:
                    opened.append(number)
                    connection.settimeout(max(0.1, end - time.time()))
                    connection.recv(1)
            except OSError:
                time.sleep(0.5)

    threading.stack_size(256 << 10)
    threads = [threading.Thread(target=hold, args=(i,)) for i in range(1200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return f"{len(opened)} handshakes, {len(set(opened))} of 1200 held one"


def large_bodies(api):
    """Reviews of every large shape, one shape after the other: what each leaves behind adds up."""
    containers = ('{"name":"c%d","image":"a","volumeMounts":[{"name":"v","mountPath":"/v%d"}]}' % (i, i) for i in range(20000))
    clean, labels = '[{"name":"a","image":"a"}]', ",".join(f'"k{i}":"v"' for i in range(250000))
    shapes = [
        ("\\u003c" * 1500000).join(['{"metadata":{"annotations":{"a":"', '"}},"spec":{"containers":%s}}' % clean]),
        '{"metadata":{"labels":{%s}},"spec":{"containers":%s}}' % (labels, clean),
        '{"spec":{"containers":[%s],"volumes":[{"name":"v","hostPath":{"path":"/run/docker.sock"}}]}}' % ",".join(containers),
        '{"spec":{"containers":[%s]}}' % ",".join(["{}"] * 3000000),
        '{"spec":{"containers":[{"name":"a","image":"a","args":[%s]}]}}' % ",".join(['""'] * 3000000),
        '{"metadata":{"annotations":{"a":"%s"}},"spec":{"containers":%s}}' % ("x" * 30000000, clean),
    ]
    hosts, answered = addresses(api), []
    for shape in shapes:
        threads = [threading.Thread(target=post, args=(hosts[i % len(hosts)], shape, answered)) for i in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return f"{len(answered)} of {40 * len(shapes)} answered"


def post(host, shape, answered):
    """Sends a Pod in a review, as everybody can who reaches the port."""
    review = '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","namespace":"load",\
"resource":{"group":"","version":"v1","resource":"pods"},"operation":"CREATE","userInfo":{},"object":%s}}' % shape
    head = "POST /validate?timeout=10s HTTP/1.1\r\nHost: undock\r\nContent-Type: application/json\r\n\
Connection: close\r\nContent-Length: %d\r\n\r\n" % len(review)
    try:
        raw = socket.create_connection((host, 8443), timeout=30)
        with ssl._create_unverified_context().wrap_socket(raw) as connection:
            connection.sendall((head + review).encode())
            if b" 200 " in connection.recv(1024):
                answered.append(host)
    except OSError:
        pass


ATTACKS = [nothing, padded_pods, references, links, script, config_maps, http2, idle, large_bodies]


def main():
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else 60
    api, failed = Api(), False
    labels = {"undock.dev/mode": "enforce"}
    api.call("POST", "/api/v1/namespaces", {"metadata": {"name": "load", "labels": labels}})
    while api.call("GET", "/api/v1/namespaces/load/serviceaccounts/default")[0] != 200:
        time.sleep(0.2)
    restarts_before = {name: restarts for name, _, restarts, _ in undock_pods(api)}
    for attack in ATTACKS:
        load, began = Load(rate), time.time()
        answer = attack(api)
        time.sleep(3)
        load.stop()
        p99 = load.times[int(len(load.times) * 0.99)] * 1000
        pods = list(undock_pods(api))
        restarted = sum(restarts - restarts_before.get(name, 0) for name, _, restarts, _ in pods)
        failed |= bool(load.lost) or restarted > 0
        print(
            f"{attack.__name__:12} {time.time() - began:5.0f} s  {len(load.times):5} created, {len(load.lost)} lost,"
            f" p99 {p99:.0f} ms, max {load.times[-1] * 1000:.0f} ms; restarts so far {restarted};"
            f" MiB {[peak for *_, peak in pods]}; load average {os.getloadavg()[0]:.0f}; {answer or ''}",
            flush=True,
        )
        for line in sorted(set(load.lost))[:2]:
            print("    lost:", line)
    for name in ("load",):
        api.call("DELETE", f"/api/v1/namespaces/{name}")
    sys.exit(failed)


main()
