//! A tolerant shell reader: which programs does a script run, and with which words?
//!
//! Only words at command position count, so a name in a comment, a string or an `echo` is not a call.
//! It never fails: a script that is cut off, templated or wrong yields the commands up to the fault and goes on
//! behind it. Time is linear in the script; nesting is cut at `MAX_DEPTH`.

mod lexer;
mod prefix;

use lexer::Lexer;

/// Scripts inside scripts (`sh -c "sh -c …"`, `$( … )`) are followed this deep.
const MAX_DEPTH: usize = 12;

/// One simple command: the words as the program gets them, quotes removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Program and arguments; never empty in what this module returns.
    pub words: Vec<String>,
    /// Assignments in front of the command and in `env`, as `NAME=value`.
    pub assignments: Vec<String>,
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
        let name = word.rsplit(['/', '\\']).next().unwrap_or_default();
        name.strip_suffix(".exe").unwrap_or(name)
    }

    /// The words after the program.
    pub fn arguments(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }

    /// The value of a leading assignment.
    pub fn assigned(&self, name: &str) -> Option<&str> {
        self.assignments.iter().rev().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

/// All commands of a script, in the order in which they are written.
pub fn read_script(script: &str) -> Vec<Invocation> {
    let mut found = Vec::new();
    read_nested(script, &Invocation::default(), 0, &mut found);
    found
}

/// The command of an exec form (`command` and `args`), and what it runs in turn.
pub fn read_argv<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<Invocation> {
    let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    let mut found = Vec::new();
    prefix::unwrap(Invocation { words, ..Invocation::default() }, None, 0, &mut found);
    found
}

/// Reads `script` as run by `outer`, whose assignments and way onto the host it inherits.
fn read_nested(script: &str, outer: &Invocation, depth: usize, found: &mut Vec<Invocation>) {
    if depth > MAX_DEPTH {
        return;
    }
    // Only what a Docker client reads is handed on: everything else would be copied once for every command.
    let mut exported: Vec<String> = Vec::new();
    outer.assignments.iter().for_each(|pair| export(pair, &mut exported));
    for raw in Lexer::new(script).read() {
        if raw.words.is_empty() {
            // A variable that is set alone is seen by clients only if it is exported somewhere, which nearly all scripts do.
            raw.assignments.iter().for_each(|pair| export(pair, &mut exported));
            continue;
        }
        let mut assignments = exported.clone();
        assignments.extend(raw.assignments);
        let invocation = Invocation { words: raw.words, assignments, written: raw.written, on_host: outer.on_host.clone() };
        if invocation.program() == "export" {
            invocation.arguments().iter().for_each(|pair| export(pair, &mut exported));
        }
        prefix::unwrap(invocation, raw.here_document, depth, found);
    }
}

/// Notes `NAME=value` of a variable that points Docker clients to their daemon.
fn export(pair: &str, exported: &mut Vec<String>) {
    let Some((name, _)) = pair.split_once('=').filter(|(name, _)| CLIENT_VARIABLES.contains(name)) else { return };
    exported.retain(|other| other.split_once('=').is_none_or(|(other, _)| other != name));
    exported.push(pair.to_owned());
}

/// The variables that point Docker clients to their daemon.
const CLIENT_VARIABLES: [&str; 2] = ["DOCKER_CONTEXT", "DOCKER_HOST"];

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(script: &str) -> Vec<String> {
        read_script(script).iter().map(|i| i.words.join(" ")).collect()
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
        ] {
            assert!(runs_docker(script), "{script:?} gave {:?}", programs(script));
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
        ] {
            assert!(!runs_docker(script), "{script:?} gave {:?}", programs(script));
        }
    }

    #[test]
    fn keeps_assignments_and_the_way_to_the_host() {
        let found = read_script("DOCKER_HOST=tcp://1.2.3.4:2375 docker ps");
        assert_eq!(found[0].assigned("DOCKER_HOST"), Some("tcp://1.2.3.4:2375"));
        let found = read_script("nsenter --target 1 --mount -- sh -c 'docker ps'");
        assert_eq!(found.iter().find(|i| i.program() == "docker").unwrap().on_host, Some(HostEntry::Nsenter));
        let found = read_argv(["chroot", "/host", "docker", "ps"]);
        assert_eq!(found.last().unwrap().on_host, Some(HostEntry::Chroot("/host".into())));
    }

    #[test]
    fn exported_endpoints_reach_later_commands() {
        for script in [
            "export DOCKER_HOST=a\ndocker ps",
            "DOCKER_HOST=a; export DOCKER_HOST; docker ps",
            "export DOCKER_HOST=b; DOCKER_HOST=a docker ps",
        ] {
            let found = read_script(script);
            assert_eq!(found.last().unwrap().assigned("DOCKER_HOST"), Some("a"), "{script}");
        }
        let found = read_script("DOCKER_HOST=a docker ps; docker info");
        assert_eq!(found.last().unwrap().assigned("DOCKER_HOST"), None);
    }

    #[test]
    fn many_assignments_are_not_copied_for_every_command() {
        let script = format!("{} sh -c '{}'", "A=1 ".repeat(20_000), "x;".repeat(20_000));
        let found = read_script(&script);
        assert!(found.iter().map(|i| i.assignments.len()).sum::<usize>() <= 40_000);
    }

    #[test]
    fn deep_nesting_ends() {
        let script = "$(".repeat(100_000);
        read_script(&script);
        let script = "sh -c '".repeat(5_000);
        read_script(&script);
    }
}
