//! The answers to the migration guide: four checks and two classes of problems, in its order, and
//! what it does not ask.

use super::{Scanned, ScannedFinding, ScannedOwner};

/// One question and which rules answer it.
#[derive(Debug)]
pub struct Question {
    /// `1` to `4`, `A`, `B`; `+` for what the guide does not ask.
    pub id: &'static str,
    /// What is asked.
    pub title: &'static str,
    /// What the API cannot show; empty where it shows everything.
    pub by_hand: &'static str,
    is_about: fn(&str) -> bool,
}

/// The owners that a question is about.
#[derive(Debug)]
pub struct Answer<'s> {
    /// The question.
    pub question: &'static Question,
    /// Owners with the findings that answer it.
    pub owners: Vec<(&'s ScannedOwner, Vec<&'s ScannedFinding>)>,
}

/// The questions in the order of the guide.
pub static QUESTIONS: [Question; 7] = [
    Question {
        id: "1",
        title: "Nodes whose runtime is not done",
        by_hand: "",
        is_about: is_runtime,
    },
    Question {
        id: "2",
        title: "Pods that use the node's Docker",
        by_hand: "",
        is_about: uses_docker,
    },
    Question {
        id: "3",
        title: "Node set-up that expects Docker",
        by_hand: "scripts on the nodes are not in the API",
        is_about: |code| matches!(code, "CLU901" | "NOD905" | "DKR402" | "DKR403"),
    },
    Question {
        id: "4",
        title: "Agents that watch Docker",
        by_hand: "agents installed on hosts are not in the API",
        is_about: |code| code.starts_with("DKR6"),
    },
    Question {
        id: "A",
        title: "Metrics that change",
        by_hand: "dashboards outside the cluster are not in the API",
        is_about: |code| matches!(code, "DKR702" | "DKR703"),
    },
    Question {
        id: "B",
        title: "docker ps, exec, logs and inspect that see nothing",
        by_hand: "",
        is_about: runs_docker_client,
    },
    Question {
        id: "+",
        title: "Not asked by the guide",
        by_hand: "",
        is_about: |code| QUESTIONS[..6].iter().all(|other| !(other.is_about)(code)),
    },
];

fn is_runtime(code: &str) -> bool {
    matches!(code, "NOD901" | "NOD902" | "NOD903" | "NOD906")
}

fn uses_docker(code: &str) -> bool {
    ["DKR1", "DKR3", "DKR4"]
        .iter()
        .any(|group| code.starts_with(group))
}

fn runs_docker_client(code: &str) -> bool {
    matches!(code, "DKR201" | "DKR202" | "DKR401" | "DKR402" | "DKR404")
}

impl Answer<'_> {
    /// Findings of all its owners.
    pub fn findings(&self) -> usize {
        self.owners.iter().map(|(_, findings)| findings.len()).sum()
    }

    /// Owners with a privileged container, which the guide asks for; a socket mount needs none.
    pub fn privileged(&self) -> usize {
        self.owners
            .iter()
            .filter(|(owner, _)| owner.privileged)
            .count()
    }
}

/// The answers, in the order of the questions.
pub fn answers(scanned: &Scanned) -> Vec<Answer<'_>> {
    let answer = |question: &'static Question| {
        let owners = scanned.owners.iter().filter_map(|owner| {
            let findings = owner
                .findings
                .iter()
                .filter(|found| (question.is_about)(found.judged.finding.rule.code));
            let findings: Vec<_> = findings.collect();
            (!findings.is_empty()).then_some((owner, findings))
        });
        Answer {
            question,
            owners: owners.collect(),
        }
    };
    QUESTIONS.iter().map(answer).collect()
}
