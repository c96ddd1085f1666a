//! A tolerant shell reader: which programs does a script run, and with which words?
//!
//! Only words at command position count, so a name in a comment, a string or an `echo` is not a
//! call. It never fails: a script that is cut off, templated or wrong yields the commands up to the
//! fault and goes on behind it. Time is linear in the script; nesting is cut at `MAX_DEPTH`. Where
//! the budget of the evaluation does not suffice, the rest is left unread.

mod lexer;
mod names;
mod prefix;
mod scope;

use std::sync::Arc;

use memchr::memrchr2;

use super::budget::{keep, spend};
use lexer::Lexer;
use names::Names;
use scope::Scope;

/// Scripts inside scripts (`sh -c "sh -c …"`, `$( … )`) are followed this deep.
const MAX_DEPTH: usize = 12;

/// One simple command: the words as the program gets them, quotes removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Program and arguments; never empty in what this module returns.
    pub words: Vec<String>,
    /// Assignments in front of the command and in `env`, as `NAME=value`.
    pub assignments: Vec<String>,
    /// Assignments before it that point Docker clients to their daemon, shared among the commands
    /// of a script.
    pub exported: Arc<[String]>,
    /// Files that its output is written to.
    pub written: Vec<String>,
    /// How the command leaves the container for the node, if it does.
    pub on_host: Option<HostEntry>,
}

/// How a command gets into the node's namespaces or file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostEntry {
    /// `nsenter` with a target process.
    Nsenter,
    /// `chroot DIRECTORY`.
    Chroot(String),
}

impl Invocation {
    /// The program's name without its directory and without Windows' ending.
    pub fn program(&self) -> &str {
        let word = self.words.first().map_or("", String::as_str);
        let directory = memrchr2(b'/', b'\\', word.as_bytes());
        let name = directory.map_or(word, |at| &word[at + 1..]);
        name.strip_suffix(".exe").unwrap_or(name)
    }

    /// The words after the program.
    pub fn arguments(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }

    /// The value that a variable has by assignment: in front of the command, else before it.
    pub fn assigned(&self, name: &str) -> Option<&str> {
        let pairs = self.assignments.iter().rev().chain(self.exported.iter());
        pairs
            .into_iter()
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

/// The text that a command writes, where it is written there: a here-document of `cat`, the words
/// of `echo`.
fn output_of(raw: &lexer::RawCommand) -> Option<String> {
    match raw.words.first()?.as_str() {
        "cat" => raw.here_document.clone(),
        "echo" | "printf" => Some(raw.words[1..].join(" ")),
        _ => None,
    }
}

/// All commands of a script, in the order in which they are written.
pub fn read_script(script: &str) -> Vec<Invocation> {
    read_script_on(script, None)
}

/// The same for a script that runs where `on_host` leads.
pub(crate) fn read_script_on(script: &str, on_host: Option<HostEntry>) -> Vec<Invocation> {
    let mut found = Vec::new();
    let outer = Invocation {
        on_host,
        ..Invocation::default()
    };
    read_nested(script, &outer, 0, &mut found);
    found
}

/// The command of an exec form (`command` and `args`), and what it runs in turn.
pub fn read_argv<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<Invocation> {
    let words = words.into_iter();
    let words: Vec<String> = words
        .take_while(|word| keep(size_of::<String>() + word.len()))
        .map(str::to_owned)
        .collect();
    let mut found = Vec::new();
    prefix::unwrap(
        Invocation {
            words,
            ..Invocation::default()
        },
        None,
        0,
        &mut found,
    );
    found
}

/// Reads `script` as run by `outer`, whose assignments and way onto the host it inherits.
fn read_nested(script: &str, outer: &Invocation, depth: usize, found: &mut Vec<Invocation>) {
    if depth > MAX_DEPTH || !spend(script.len() / lexer::READ_AT_ONCE) {
        return;
    }
    // Only what a Docker client reads is handed on: everything else would be copied once for every
    // command.
    let mut scope = Scope::of(outer);
    let mut names = Names::default();
    let mut commands = Lexer::new(script).read().into_iter().peekable();
    let mut piped: Option<String> = None;
    while let Some(mut raw) = commands.next() {
        let input = std::mem::take(&mut piped);
        if raw.pipes {
            piped = output_of(&raw);
        }
        if raw.here_document.is_none()
            && raw
                .words
                .last()
                .is_some_and(|word| prefix::is_shell(word) || word == "-s")
        {
            raw.here_document = input;
        }
        scope.enter(raw.branch);
        if raw.defines {
            names.define(
                &raw.words[0],
                commands.peek().map_or(&[], |body| &body.words),
            );
        }
        if raw.words.is_empty() {
            // A variable that is set alone is seen by clients only if it is exported somewhere,
            // which nearly all scripts do.
            raw.assignments.iter().for_each(|pair| scope.export(pair));
            raw.assignments.iter().for_each(|pair| names.assign(pair));
            continue;
        }
        let mut words = raw.words;
        names.resolve(&mut words);
        let (exported, on_host) = (Arc::clone(&scope.exported), outer.on_host.clone());
        let invocation = Invocation {
            words,
            assignments: raw.assignments,
            exported,
            written: raw.written,
            on_host,
        };
        match invocation.program() {
            "export" => invocation.arguments().iter().for_each(|pair| {
                scope.export(pair);
                names.assign(pair);
            }),
            "alias" => invocation
                .arguments()
                .iter()
                .for_each(|pair| names.alias(pair)),
            _ => {}
        }
        prefix::unwrap(invocation, raw.here_document, depth, found);
    }
}

#[cfg(test)]
mod tests {
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
                .unwrap()
                .on_host,
            Some(HostEntry::Nsenter)
        );
        let found = read_argv(["chroot", "/host", "docker", "ps"]);
        assert_eq!(
            found.last().unwrap().on_host,
            Some(HostEntry::Chroot("/host".into()))
        );
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
                found.last().unwrap().assigned("DOCKER_HOST"),
                Some("a"),
                "{script}"
            );
        }
        let found = read_script("DOCKER_HOST=a docker ps; docker info");
        assert_eq!(found.last().unwrap().assigned("DOCKER_HOST"), None);
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
            read_script(script)
                .last()
                .unwrap()
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
            let script =
                format!("{head} {{ nsenter -t 1 -m -- \"$@\"; }}; h systemctl restart docker");
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
}
