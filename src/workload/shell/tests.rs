//! What the shell reader finds in scripts, and what it leaves alone.

use super::*;

fn programs(script: &str) -> Vec<String> {
    read_script(script)
        .iter()
        .map(|i| i.words.join(" "))
        .collect()
}

fn runs_docker(script: &str) -> bool {
    read_script(script).iter().any(|i| i.program() == "docker")
}

#[test]
fn finds_commands_at_command_position() {
    for script in [
        "docker ps",
        "/usr/bin/docker ps",
        "set -e; docker ps",
        "true && docker ps",
        "false || docker ps",
        "ps|grep x|docker load",
        "if docker ps; then echo; fi",
        "if docker ps; then",
        "while ! docker info; do sleep 1; done",
        "for i in 1 2; do docker rm $i; done",
        "x=$(docker ps -q)",
        "echo \"$(docker ps)\"",
        "echo `docker ps`",
        "(cd /x && docker build .)",
        "{ docker ps; }",
        "A=1 B=2 docker ps",
        "sudo -E docker ps",
        "sudo -u root docker ps",
        "exec docker ps",
        "env -i A=b docker ps",
        "timeout -s KILL 10 docker ps",
        "nohup docker ps &",
        "time docker ps",
        "docker ps -q | xargs -r docker rm",
        "sh -c 'docker ps'",
        "bash -exc \"docker ps\"",
        "sh -co errexit 'docker ps'",
        "bash +O extglob -o pipefail -oec nounset 'docker ps' name",
        "bash --rcfile x --norc -c 'docker ps'",
        "bash -noprofile -norc -c 'docker ps'",
        "script -qc 'docker ps' /dev/null",
        "setarch x86_64 docker ps",
        "linux64 -R docker ps",
        "prlimit --nofile=1024 docker ps",
        "choom -n 0 -- docker ps",
        "sh -c \"sh -c 'docker ps'\"",
        "eval \"docker ps\"",
        "sh <<EOF\ndocker ps\nEOF\n",
        "case $x in a) docker ps ;; esac",
        "cat <<EOF > f\ntext\nEOF\ndocker ps",
        "echo 'unterminated\n'; docker ps; echo \"cut",
        "docker ps\r\necho",
        "echo a\\\n b; \\\ndocker ps",
        "do\\cker ps",
        "'docker' ps",
        "2>/dev/null docker ps",
        "diff <(docker ps) x",
        "nsenter -t 1 -m -- docker ps",
        "chroot /host docker ps",
        "unshare -R /host docker ps",
        "unshare -m --root=/host docker ps",
        "coproc docker events",
        "su -c 'docker ps' root",
        "echo $((1 + 2)); docker ps",
        "f() { docker ps; }",
        "function f { docker ps; }",
        "function f() { docker ps; }",
        "function f () { docker ps; }",
        "x=$((1 << 2))\ndocker ps",
        "((x = 1 << 2))\ndocker ps",
        "((docker ps))",
        "$((docker ps) | cat)",
        "a=(1 2); docker ps",
        "a=($(docker ps -q))",
        "trap 'docker rm x' EXIT",
        "find . -name x -exec docker rm {} +",
        "gosu ci docker ps",
        "su-exec ci docker ps",
        "cmd /c docker ps",
        "cmd.exe /S /C \"docker ps\"",
        "powershell -NoProfile -Command \"docker ps\"",
        "pwsh -c 'docker ps'",
        "docker.exe ps",
        "timeout --signal=KILL 10 docker ps",
        "bash -o pipefail -c 'docker ps'",
        "cat <<EOF | bash\ndocker ps\nEOF",
        "echo 'docker ps' | sudo sh",
        "cat <<EOF\n$(docker ps)\nEOF",
        "echo ${X:-$(docker ps)}",
        "script -q -c 'docker ps' /dev/null",
        "strace -f docker ps",
        "chpst -u ci docker ps",
        "runuser -u root -- docker ps",
        "sg docker 'docker ps'",
        "ip netns exec x docker ps",
        "systemd-run -p A=b --wait docker ps",
        "watch -n 1 docker ps",
    ] {
        assert!(
            runs_docker(script),
            "{script:?} gave {:?}",
            programs(script)
        );
    }
}

#[test]
fn leaves_everything_else_alone() {
    for script in [
        "# docker ps",
        "echo docker ps",
        "echo 'docker ps'",
        "echo \"; docker ps\"",
        "ls # docker",
        "cat <<EOF\ndocker ps\nEOF",
        "cat <<-'EOF'\n\tdocker ps\n\tEOF\n",
        "docker-entrypoint.sh postgres",
        "skopeo copy docker://a docker://b",
        "grep docker /proc/1/cgroup",
        "x=docker",
        "for docker in a; do :; done",
        "case docker in *) : ;; esac",
        "cat < docker",
        "echo > docker",
        "cat <<< docker",
        "which docker",
        "command -v docker",
        "kubectl create secret docker-registry x",
        "a=(docker ps)",
        "a=(\ndocker\n)",
        "find . -name docker",
        "",
        "\"",
        "$(",
        "`",
        "<<",
        "((((((((((",
        "cat <<'EOF'\n$(docker ps)\nEOF",
        "cat <<EOF\n\\$(docker ps)\nEOF",
        "echo 'docker ps' | cat",
        "echo 'docker ps' | sh run.sh",
        "echo $(which docker)",
        "test -x \"$(which docker)\"",
    ] {
        assert!(
            !runs_docker(script),
            "{script:?} gave {:?}",
            programs(script)
        );
    }
}

#[test]
fn keeps_assignments_and_the_way_to_the_host() {
    let found = read_script("DOCKER_HOST=tcp://1.2.3.4:2375 docker ps");
    assert_eq!(found[0].assigned("DOCKER_HOST"), Some("tcp://1.2.3.4:2375"));
    let found = read_script("nsenter --target 1 --mount -- sh -c 'docker ps'");
    assert_eq!(
        found
            .iter()
            .find(|i| i.program() == "docker")
            .and_then(|i| i.on_host.clone()),
        Some(HostEntry::Nsenter)
    );
    for words in [
        "chroot /host docker ps",
        "unshare -R /host docker ps",
        "unshare --root=/host -w / docker ps",
    ] {
        let found = read_argv(words.split(' '));
        let last = &found[found.len() - 1];
        assert_eq!(last.on_host, Some(HostEntry::Chroot("/host".into())));
    }
    let found = read_argv("unshare -m docker cp -R /a /b".split(' '));
    assert_eq!(found[found.len() - 1].on_host, None);
}

#[test]
fn exported_endpoints_reach_later_commands() {
    for script in [
        "export DOCKER_HOST=a\ndocker ps",
        "DOCKER_HOST=a; export DOCKER_HOST; docker ps",
        "export DOCKER_HOST=b; DOCKER_HOST=a docker ps",
    ] {
        let found = read_script(script);
        assert_eq!(
            found[found.len() - 1].assigned("DOCKER_HOST"),
            Some("a"),
            "{script}"
        );
    }
    let found = read_script("DOCKER_HOST=a docker ps; docker info");
    assert_eq!(found[1].assigned("DOCKER_HOST"), None);
}

#[test]
fn many_assignments_are_not_copied_for_every_command() {
    let script = format!("{} sh -c '{}'", "A=1 ".repeat(20_000), "x;".repeat(20_000));
    let found = read_script(&script);
    assert!(found.iter().map(|i| i.assignments.len()).sum::<usize>() <= 40_000);
    // A long value of a variable that is handed on is held once.
    let script = format!(
        "export DOCKER_HOST={}; {}",
        "x".repeat(1 << 20),
        "docker ps; ".repeat(50_000)
    );
    let found = read_script(&script);
    assert!(
        found
            .iter()
            .skip(1)
            .all(|i| i.assignments.is_empty() && Arc::ptr_eq(&i.exported, &found[1].exported))
    );
}

#[test]
fn a_branch_that_may_not_be_taken_sets_nothing_for_what_follows() {
    let of_last = |script: &str| {
        let found = read_script(script);
        found[found.len() - 1]
            .assigned("DOCKER_HOST")
            .map(str::to_owned)
    };
    for script in [
        "if test -n \"$REMOTE\"; then export DOCKER_HOST=a; fi; docker ps",
        "if a; then :; elif b; then export DOCKER_HOST=a; else docker info; fi\ndocker ps",
        "if a; then export DOCKER_HOST=a; else docker ps; fi",
        "[ -z \"$X\" ] || export DOCKER_HOST=a\ndocker ps",
        "[ -n \"$X\" ] && export DOCKER_HOST=a; docker ps",
        "[[ -n $X ]] && DOCKER_HOST=a\ndocker ps",
        "case $x in a) export DOCKER_HOST=a ;; b) docker ps ;; esac",
        "case $x in a) export DOCKER_HOST=a ;; esac; docker ps",
        "(export DOCKER_HOST=a); docker ps",
        "x=$(export DOCKER_HOST=a; docker info); docker ps",
    ] {
        assert_eq!(of_last(script), None, "{script}");
    }
    for script in [
        "if a; then export DOCKER_HOST=a; docker ps; fi",
        "if a; then export DOCKER_HOST=a; if b; then docker ps; fi; fi",
        "export DOCKER_HOST=a; if b; then docker info; fi; docker ps",
        "export DOCKER_HOST=a; if b; then export DOCKER_HOST=b; fi; docker ps",
        "cd /x && export DOCKER_HOST=a && docker ps",
        "cd /x && export DOCKER_HOST=a\ndocker ps",
        "[ -n \"$X\" ] && export DOCKER_HOST=a && docker ps",
        "case $x in a) export DOCKER_HOST=a; docker ps ;; esac",
        "(export DOCKER_HOST=a; docker ps)",
        "for i in 1; do export DOCKER_HOST=a; done; docker ps",
        "fi; fi; export DOCKER_HOST=a; fi; docker ps",
    ] {
        assert_eq!(of_last(script).as_deref(), Some("a"), "{script}");
    }
}

#[test]
fn names_that_stand_for_other_programs_are_followed() {
    for script in [
        "DOCKER=docker; $DOCKER ps",
        "DOCKER=\"sudo docker\"\n${DOCKER} ps",
        "export D=/usr/bin/docker; \"$D\" ps",
        "alias d=docker\nd ps",
        "docker() { sudo docker \"$@\"; }\ndocker ps",
        "$(which docker) ps",
        "`command -v docker` ps",
        "$SUDO docker ps",
        "${_sudo} docker ps",
    ] {
        assert!(
            read_script(script)
                .iter()
                .any(|i| i.program() == "docker" && i.words.get(1).is_some_and(|w| w == "ps")),
            "{script}"
        );
    }
    for script in [
        "alias docker=podman\ndocker ps",
        "docker() { podman \"$@\"; }\ndocker ps",
        "alias docker='sudo nerdctl -n k8s.io'; docker ps",
    ] {
        assert!(!runs_docker(script), "{script}: {:?}", programs(script));
    }
}

#[test]
fn names_that_lead_onto_the_node_are_followed() {
    for script in [
        "NS=\"nsenter -t 1 -m\"; $NS docker ps",
        "NS=\"nsenter -t 1 -m --\"\n${NS} docker ps",
        "C='chroot /host'; $C docker ps",
        "h() { nsenter -t 1 -m -- \"$@\"; }; h docker ps",
        "h() { chroot /host \"$@\"; }\nh docker ps",
        "alias h='nsenter -t 1 -m'; h docker ps",
    ] {
        let found = read_script(script);
        assert!(
            found
                .iter()
                .any(|i| i.program() == "docker" && i.on_host.is_some()),
            "{script}: {:?}",
            programs(script)
        );
    }
    for head in ["h()", "h ()", "function h", "function h()", "function h ()"] {
        let script = format!("{head} {{ nsenter -t 1 -m -- \"$@\"; }}; h systemctl restart docker");
        let found = read_script(&script);
        assert!(
            found
                .iter()
                .any(|i| i.program() == "systemctl" && i.on_host.is_some()),
            "{script}"
        );
    }
}

#[test]
fn deep_nesting_ends() {
    for script in [
        "function",
        "function\n{ x; }",
        "function (",
        "function ()",
        "function;",
    ] {
        read_script(script);
    }
    let script = "$(".repeat(100_000);
    read_script(&script);
    let script = "sh -c '".repeat(5_000);
    read_script(&script);
}

/// The words that `script` gives the program `dial`, one text for each call.
fn dialled(script: &str) -> Vec<String> {
    let found = read_script(script).into_iter();
    let found = found.filter(|call| call.program() == "dial");
    found.map(|call| call.arguments().join(" ")).collect()
}

#[test]
fn words_are_what_a_shell_puts_together() {
    for script in [
        "dial /h/dock\"\"er.sock",
        "dial \"/h\"/\"docker\"\".sock\"",
        "dial /h/$'\\x64'ocker.sock",
        "dial /h/do\\\ncker.sock",
        "a=docker; dial /h/$a.sock",
        "x=/h/docker; dial ${x}.sock",
        "x=/h; x+=/docker; dial \"$x.sock\"",
        "x=/h/docker.sock; y=$x; dial $y",
        "export X=/h/docker.sock; sh -c 'dial $X'",
        "dial ${X:-/h/docker.sock}",
        "set -- docker sock; dial /h/$1.$2",
        "for d in /h; do dial $d/docker.sock; done",
        "set -- /h/docker.sock; for i do dial $i; done",
        "dial /h/$(echo docker).sock",
        "dial /h/$(printf \"\\144ocker\").sock",
        "dial $(echo `echo /h`/docker.sock)",
        "f() { dial $1/docker.sock; }; f /h",
        "f() { g $1; }; g() { dial $1/docker.sock; }; f /h",
        "function f { dial \"$@\"; }; f /h/docker.sock",
        "f() { dial $x; }; x=/h/docker.sock; f",
        "sh -c 'dial $0' /h/docker.sock",
        "sh -c 'dial \"$@\"' sh /h/docker.sock",
        "sh -c '\"$@\"' sh dial /h/docker.sock",
        "a=(dial /h/docker.sock); \"${a[@]}\"",
        "while read f; do dial $f; done <<E\n/h/docker.sock\nE",
        "echo /h/docker.sock | while read f; do dial $f; done",
        "echo /h/docker.sock | xargs dial",
        "echo /h/docker.sock | xargs -I{} dial {}",
        "echo docker | xargs -I X dial /h/X.sock",
        "xargs dial <<< /h/docker.sock",
        "find /h/docker.sock -exec dial {} \\;",
        "printf 'dial /h/%s\\n' docker.sock | sh",
        "sh <<< 'dial /h/docker.sock'",
        ". /dev/stdin <<E\ndial /h/docker.sock\nE",
        "echo 'dial /h/docker.sock' | sudo /bin/bash -x",
        "start-stop-daemon -S -x /bin/dial -- /h/docker.sock",
        "taskset 1 dial /h/docker.sock",
        "env -S 'dial /h/docker.sock'",
        "env -iS 'A=b dial' /h/docker.sock",
        "env '--split-string=sh -c \"dial /h/docker.sock\"'",
        "chrt 10 dial /h/docker.sock",
        "IFS=_; x=/h/docker.sock_; dial $x",
        "cd /h; dial $PWD/docker.sock",
        "HOME=/h; dial ~/docker.sock",
        "echo 'dial /h/docker.sock' > x; sh x",
    ] {
        let found = dialled(script);
        assert!(
            found.iter().any(|words| words == "/h/docker.sock"),
            "{script}: {found:?}"
        );
    }
}

#[test]
fn what_nothing_shows_stays_as_it_is_written() {
    for (script, words) in [
        ("dial /h/$f", "/h/$f"),
        ("dial '/h/$f'; f=x", "/h/$f"),
        ("dial \"/h/\\$f\"; f=x", "/h/$f"),
        ("dial /h/$(ls /h)", "/h/$()"),
        ("dial /h/${f%x}", "/h/${f%x}"),
        ("dial $1", "$1"),
        ("f() { dial $1; }; set -- x", "$1"),
        ("dial /h/*.sock", "/h/*.sock"),
        ("sh -c 'dial $x' sh a", "$x"),
        ("dial ~/a", "~/a"),
        ("HOME=/h; dial '~/a' ", "~/a"),
        ("HOME=/h; dial x~/a", "x~/a"),
        ("HOME=/h; dial ~root/a", "~root/a"),
    ] {
        assert_eq!(dialled(script), [words], "{script}");
    }
    // A branch adds a value and hides none.
    let found = dialled("if a; then x=/r; fi; dial ${x:-/h/docker.sock}");
    assert_eq!(found, ["/r", "/h/docker.sock"]);
    // What is set later was not set here.
    assert_eq!(dialled("dial ${x:-/h}; x=/r"), ["/r", "/h"]);
}

#[test]
fn a_command_knows_where_it_may_run() {
    let found = read_script("cd /h; cd run && dial docker.sock");
    let dial = found.iter().find(|call| call.program() == "dial");
    let directories = dial
        .map(|call| call.directories.to_vec())
        .unwrap_or_default();
    assert!(
        directories.contains(&"/h/run".to_owned()),
        "{directories:?}"
    );
}

#[test]
fn a_shell_that_runs_what_nobody_sees_says_so() {
    for script in [
        "x | base64 -d | sh",
        "curl x | bash -s",
        "eval \"$(x)\"",
        "sh -c \"$(x)\"",
        "y=$(x); $y",
        "x | while read y; do $y; done",
        "x > y; sh y",
    ] {
        assert!(
            read_script(script).iter().any(|call| call.runs_unseen),
            "{script}"
        );
    }
    for script in [
        "echo ls | sh",
        "x | sh run.sh",
        "sh <<E\nls\nE",
        "sh",
        "x | cat",
        "eval ls",
        "$(dirname $0)/run.sh",
        "$(which x) y",
        "x > y; cat y",
        "echo ls > y; sh y",
        "x | while read y; do ls $y; done",
        "y=$(x); [[ -n a && \"$y\" == b || $y ]] && ls",
    ] {
        assert!(
            !read_script(script).iter().any(|call| call.runs_unseen),
            "{script}"
        );
    }
}

#[test]
fn a_variable_is_taken_back() {
    let found = read_script("export DOCKER_HOST=a; unset DOCKER_HOST; docker ps");
    assert_eq!(found[2].assigned("DOCKER_HOST"), Some(""));
    let found = read_script("export DOCKER_HOST=a; if b; then unset DOCKER_HOST; fi; docker ps");
    assert_eq!(found[found.len() - 1].assigned("DOCKER_HOST"), Some("a"));
}

#[test]
fn values_that_multiply_are_few() {
    let names: String = (0..40).map(|i| format!("for x{i} in a b c; do ")).collect();
    let words: String = (0..40).map(|i| format!("$x{i}")).collect();
    let found = dialled(&format!("{names} dial {words}"));
    assert!((1..=17).contains(&found.len()), "{}", found.len());
    assert_eq!(found.last(), Some(&words), "the others are left open");
}
