//! Which assignments reach a command of a script: those before it, unless a branch made them that
//! it is not in.

use std::sync::Arc;

use super::Invocation;
use super::lexer::Branch;
use crate::workload::budget::keep;

/// The variables that point Docker clients to their daemon.
const CLIENT_VARIABLES: [&str; 2] = ["DOCKER_CONTEXT", "DOCKER_HOST"];

/// The assignments at one place of a script.
pub(super) struct Scope {
    /// `NAME=value` of the client's variables, one each.
    pub(super) exported: Arc<[String]>,
    /// The branches around the place, each with what held in front of it.
    around: Vec<(Branch, Arc<[String]>)>,
}

impl Scope {
    /// What a script starts with that `outer` runs.
    pub(super) fn of(outer: &Invocation) -> Self {
        let mut scope = Self {
            exported: Arc::clone(&outer.exported),
            around: Vec::new(),
        };
        outer.assignments.iter().for_each(|pair| scope.export(pair));
        scope
    }

    /// Goes to a command in `branch`; what other branches set is taken back.
    pub(super) fn enter(&mut self, branch: Branch) {
        while self.around.len() > branch.depth
            || self.around.len() == branch.depth && self.is_other(branch)
        {
            let Some((_, before)) = self.around.pop() else {
                break;
            };
            self.exported = before;
        }
        while self.around.len() < branch.depth {
            self.around.push((branch, Arc::clone(&self.exported)));
        }
    }

    fn is_other(&self, branch: Branch) -> bool {
        self.around
            .last()
            .is_some_and(|(inside, _)| inside.number != branch.number)
    }

    /// Notes `NAME=value` of a variable that points Docker clients to their daemon.
    pub(super) fn export(&mut self, pair: &str) {
        let Some((name, _)) = pair
            .split_once('=')
            .filter(|(name, _)| CLIENT_VARIABLES.contains(name))
        else {
            return;
        };
        let others = self
            .exported
            .iter()
            .filter(|other| other.split_once('=').is_none_or(|(other, _)| other != name));
        // Commands hold what was exported before.
        let bytes: usize = self.exported.iter().map(String::len).sum();
        let is_known = self.exported.last().is_some_and(|last| last == pair);
        if !is_known && keep(2 * size_of::<String>() + bytes + pair.len()) {
            self.exported = others.cloned().chain([pair.to_owned()]).collect();
        }
    }

    /// Takes a variable back. A branch that may not be taken takes back nothing for what follows.
    pub(super) fn unset(&mut self, name: &str) {
        if CLIENT_VARIABLES.contains(&name) {
            // An empty value is read like none.
            self.export(&format!("{name}="));
        }
    }
}
