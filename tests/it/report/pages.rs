//! What people act on: pages of teams, commands, clusters, findings that moved, the week.

use serde_json::{Value, json};

use super::support::{
    Inputs, at, every_day, finding, flagged, record, report, report_on, report_with, scan,
    scanned_clean, scanned_flagged, text, uid, undock,
};

/// Records of findings of three teams, one of which nobody names.
fn teams() -> Vec<Value> {
    let of = |number: u32, team: Value, namespace: &str| {
        let mut own = record(number, &at(2, "10:00"));
        own["owner.team"] = team;
        own["owner.name"] = json!(format!("runner-{number}"));
        own["k8s.namespace.name"] = json!(namespace);
        own["findings"][0]["fingerprint"] = json!(format!("{number:016x}"));
        own
    };
    let mut lines = every_day(1, 5);
    lines.extend([
        of(1, json!("build"), "ci"),
        of(2, json!("../Web & co"), "web"),
        of(3, json!(""), "misc"),
    ]);
    lines
}

#[test]
fn a_folder_gets_an_index_and_a_page_for_each_team() {
    let inputs = Inputs::new();
    let path = inputs.write("in.log", &text(&teams()));
    let folder = inputs.path("pages/of/teams");
    let output = undock(&[
        "report",
        path.to_str().unwrap(),
        "-o",
        &format!("html={}/", folder.display()),
        "-o",
        "table",
    ]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = [
        "index.html",
        "no-team.html",
        "team-_2e_2e_2f_57eb_20_26_20co.html",
        "team-build.html",
    ];
    assert_eq!(names, expected);
    let page = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let index = page("index.html");
    for name in &names[1..] {
        assert!(index.contains(&format!("href=\"{name}\"")), "{name}");
        assert!(page(name).contains("href=\"index.html\""), "{name}");
    }
    let build = page("team-build.html");
    assert!(build.contains("runner-1") && !build.contains("runner-2") && !build.contains("misc"));
    assert!(build.contains("1 open finding in 1 workload would be refused"));
}

#[test]
fn of_many_owners_the_first_are_seen_and_teams_follow() {
    for (count, folded) in [(30, false), (31, true)] {
        let mut lines = every_day(1, 5);
        lines.extend((0..count).map(|number| {
            let mut own = record(number, &at(2, "10:00"));
            own["owner.name"] = json!(format!("runner-{number}"));
            own["owner.team"] = json!(if number == 0 { "a-few" } else { "most" });
            own["findings"][0]["fingerprint"] = json!(format!("{number:016x}"));
            own
        }));
        let inputs = Inputs::new();
        let path = inputs.write("in.log", &text(&lines));
        let page = undock(&["report", "-o", "html", path.to_str().unwrap()]).stdout;
        let page = String::from_utf8(page).unwrap();
        assert_eq!(page.contains("<summary>6 more owners</summary>"), folded);
        // Folded or not, all of them are there, and those with most to do first.
        assert_eq!(
            page.matches("<br>Deployment/runner-").count(),
            2 * count as usize
        );
        let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part}"));
        assert!(at("id=to-do") < at("id=teams") && at("id=teams") < at("id=charts"));
        assert!(at(">most</th>") < at(">a-few</th>"));
    }
}

#[test]
fn everything_that_a_link_names_can_be_linked_to() {
    let inputs = Inputs::new();
    let path = inputs.write("in.log", &text(&teams()));
    let output = undock(&["report", path.to_str().unwrap(), "-o", "html"]);
    let page = String::from_utf8(output.stdout).unwrap();
    for anchor in ["ns..ci", "owner..ci.Deployment.runner-1", "team.build"] {
        assert!(page.contains(&format!("id=\"{anchor}\"")), "{anchor}");
    }
    for link in page.split("href=\"#").skip(1) {
        let anchor = link.split('"').next().unwrap();
        let [plain, quoted] = [format!("id={anchor}>"), format!("id=\"{anchor}\"")];
        assert!(page.contains(&plain) || page.contains(&quoted), "{anchor}");
    }
}

#[test]
fn a_renamed_container_is_neither_fixed_nor_new() {
    let inputs = Inputs::new();
    let moved = |number: u32, day: u32, fingerprint: &str| {
        let mut own = flagged(number, &at(day, "10:00"));
        own["annotations"]["workloads.undock.dev/findings"] = json!(format!(
            "DKR101 {fingerprint} spec.template.spec.volumes[0]"
        ));
        own
    };
    let before = [moved(1, 1, "aaaaaaaaaaaaaaaa")];
    let after = [
        before[0].clone(),
        moved(2, 5, "bbbbbbbbbbbbbbbb"),
        moved(3, 9, "cccccccccccccccc"),
    ];
    let now = report(&after);
    let own = finding(&now);
    assert_eq!(
        (&own["status"], &own["firstSeen"]),
        (&json!("open"), &json!("2026-11-01T10:00:00Z"))
    );
    assert_eq!(
        (&own["movedFrom"], &own["observations"]),
        (&json!("bbbbbbbbbbbbbbbb"), &json!(3))
    );
    let open = now["burnDown"]["days"].as_array().unwrap();
    assert!(open.iter().all(|day| day["open"] == 1), "{open:?}");
    let [old, new] = [&before[..], &after[..2]].map(report);
    let [old, new] = [("old", old), ("new", new)]
        .map(|(name, report)| inputs.write(name, report.to_string().as_bytes()));
    let output = undock(&[
        "report",
        "diff",
        old.to_str().unwrap(),
        new.to_str().unwrap(),
    ]);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "0 new, 0 fixed, 0 removed, 0 changed; 1 there before, 1 now\n"
    );
}

#[test]
fn a_comparison_adds_up() {
    let inputs = Inputs::new();
    let other = |number: u32, name: &str| {
        let mut own = flagged(number, &at(2, "10:00"));
        own["annotations"]["workloads.undock.dev/owner"] =
            json!(format!("apps/Deployment/ci/{name} self"));
        own["annotations"]["workloads.undock.dev/review-uid"] = json!(uid(7000 + number));
        own
    };
    let old = report(&[other(1, "a"), other(2, "b")]);
    let new = report(&[other(3, "c"), other(2, "b"), other(4, "d")]);
    let [old, new] = [("old", old), ("new", new)]
        .map(|(name, report)| inputs.write(name, report.to_string().as_bytes()));
    let diff = [
        "report",
        "diff",
        old.to_str().unwrap(),
        new.to_str().unwrap(),
    ];
    let total = "2 new, 0 fixed, 0 removed, 1 not in the inputs, 0 changed; 2 there before, 3 now";
    for format in ["table", "markdown"] {
        let output = undock(&[&diff[..], &["-o", format]].concat());
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(told.contains(total), "{told}");
    }
}

/// Two clusters in which a namespace of the same name is READY, and one in which it is not.
fn fleet() -> Vec<(&'static str, Vec<Value>)> {
    let of = |cluster: &'static str, object: Value| {
        let mut lines = every_day(1, 20);
        for (day, line) in lines.iter_mut().enumerate() {
            *line = super::support::clean(9000 + day as u32, &at(1 + day as u32, "00:30"));
        }
        let mut last = scan(&at(20, "10:00"), &[object]);
        last["cluster"] = json!(cluster);
        lines.push(last);
        (cluster, lines)
    };
    vec![
        of("eu", scanned_clean()),
        of("us", scanned_clean()),
        of("ap", scanned_flagged()),
    ]
}

#[test]
fn every_output_of_a_fleet_shows_the_cluster() {
    let inputs = Inputs::new();
    let mut arguments = vec!["report".to_owned()];
    for (cluster, lines) in fleet() {
        let path = inputs.write(cluster, &text(&lines));
        arguments.extend([
            "--cluster".to_owned(),
            format!("{cluster}={}", path.display()),
        ]);
    }
    let told = |format: &str| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = undock(&[arguments.as_slice(), &["-o", format]].concat());
        String::from_utf8(output.stdout).unwrap()
    };
    let report: Value = serde_json::from_str(&told("json")).unwrap();
    let verdicts: Vec<String> = report["namespaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| format!("{} {} {}", own["cluster"], own["name"], own["verdict"]))
        .map(|told| told.replace('"', ""))
        .filter(|told| told.contains(" ci "))
        .collect();
    assert_eq!(verdicts, ["ap ci BLOCKED", "eu ci READY", "us ci READY"]);
    for format in ["table", "markdown", "html"] {
        let told = told(format);
        for expected in [
            "kubectl --context eu label ns ci undock.dev/mode=enforce --overwrite",
            "kubectl --context us label ns ci undock.dev/mode=enforce --overwrite",
            "ap/ci",
            "eu/ci",
        ] {
            assert!(told.contains(expected), "{format}: {expected}: {told}");
        }
        assert!(!told.contains("--context ap"), "{format}");
    }
    let table = told("table");
    let overview = table.split("\n\n").find(|part| part.starts_with("CLUSTER"));
    let rows: Vec<Vec<&str>> = overview
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows,
        [
            ["ap", "1", "0", "0", "1"],
            ["eu", "0", "0", "1", "0"],
            ["us", "0", "0", "1", "0"]
        ]
    );
    assert!(told("csv").lines().nth(1).unwrap().starts_with("ap,ci,"));
}

#[test]
fn what_all_namespaces_lack_is_told_once() {
    let mut lines = every_day(1, 3);
    for (number, namespace) in ["a", "b", "c"].iter().enumerate() {
        let mut own = record(number as u32, &at(2, "10:00"));
        own["k8s.namespace.name"] = json!(namespace);
        lines.push(own);
    }
    let inputs = Inputs::new();
    let path = inputs.write("in.log", &text(&lines));
    for format in ["table", "markdown", "html"] {
        let output = undock(&["report", path.to_str().unwrap(), "-o", format]);
        let told = String::from_utf8(output.stdout).unwrap();
        let doubt = "no scan of all of it";
        assert_eq!(told.matches(doubt).count(), 1, "{format}: {told}");
        assert!(
            told.contains(&format!("In every namespace: {doubt}")),
            "{format}"
        );
    }
}

#[test]
fn many_namespaces_are_switched_by_few_commands() {
    let objects: Vec<Value> = (0..25)
        .map(|number| {
            let mut own = scanned_clean();
            own["namespace"] = json!(format!("ns-{number:02}"));
            own
        })
        .collect();
    let mut lines: Vec<Value> = (1..=20)
        .map(|day| super::support::clean(9000 + day, &at(day, "00:30")))
        .collect();
    let mut last = scan(&at(20, "10:00"), &objects);
    let names = (0..25).map(|number| format!("ns-{number:02}"));
    let names = names.chain(["kube-system".to_owned(), "openshift-etcd".to_owned()]);
    last["namespaces"] = names
        .map(|name| json!({"name": name, "mode": null}))
        .collect();
    lines.push(last);
    let inputs = Inputs::new();
    let path = inputs.write("in.log", &text(&lines));
    let output = undock(&["report", path.to_str().unwrap()]);
    let told = String::from_utf8(output.stdout).unwrap();
    let commands: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("kubectl label"))
        .collect();
    assert_eq!(commands.len(), 3, "{told}");
    assert!(commands[0].contains("label ns ns-00 ns-01 ") && commands[2].contains("ns-24"));
    assert!(
        !commands
            .iter()
            .any(|own| own.contains("kube-") || own.contains("openshift"))
    );
}

#[test]
fn the_last_week_is_told_where_the_inputs_reach_back() {
    let mut lines = every_day(1, 20);
    lines.push(flagged(1, &at(18, "10:00")));
    let told = |lines: &[Value]| {
        let inputs = Inputs::new();
        let path = inputs.write("in.log", &text(lines));
        let output = undock(&["report", path.to_str().unwrap()]);
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(told(&lines).contains("Since 2026-11-13: 1 new, 0 fixed, 0 removed."));
    assert!(!told(&lines[16..]).contains("Since "));
}

#[test]
fn a_part_of_a_report_has_its_own_burn_down() {
    let lines = teams();
    let (all, _) = report_with(&lines, &[]);
    let (own, _) = report_with(&lines, &["--team", "build"]);
    let last = |report: &Value| {
        report["burnDown"]["days"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()["open"]
            .clone()
    };
    assert_eq!((last(&all), last(&own)), (json!(3), json!(1)));
    assert_eq!(own["summary"]["open"], 1);
    let inputs = Inputs::new();
    let path = inputs.write("in.log", &text(&lines));
    assert_eq!(
        report_on(&path, &["--team", "nobody"]).0["findings"],
        json!([])
    );
}
