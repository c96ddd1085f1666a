//! The list of scenarios, and the loop that runs them and goes on after a failure.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

use crate::control_plane::Assets;
use crate::process::say;
use crate::world::World;
use crate::{
    scenarios_availability as availability, scenarios_controller as controller,
    scenarios_coverage as coverage, scenarios_enforce as enforce, scenarios_many as many,
    scenarios_namespaces as namespaces, scenarios_outage as outage, scenarios_policy as policy,
    scenarios_scan as scan, scenarios_series as series, scenarios_v1beta1 as v1beta1,
    scenarios_warn as warn,
};

/// Runs only the scenarios whose name contains this text.
const ONLY: &str = "UNDOCK_CLUSTER_ONLY";

type Scenario = (&'static str, fn(&World));

/// Names a scenario once: the function is its name.
macro_rules! scenarios {
    ($($module:ident::$name:ident),* $(,)?) => { &[$((stringify!($name), $module::$name as fn(&World))),*] };
}

/// While undock is installed with `overlays/warn`.
const IN_WARN_MODE: &[Scenario] = scenarios![
    warn::a_pod_on_docker_socket_is_warned_about,
    warn::a_clean_pod_is_answered_without_a_warning,
    warn::a_deployment_is_warned_about_once_and_not_again_by_its_controllers,
    warn::every_kind_of_workload_is_warned_about,
    warn::a_pod_that_is_resized_in_place_is_warned_about,
    warn::a_server_side_dry_run_warns_and_is_marked_in_the_record,
    warn::an_ephemeral_container_that_runs_docker_is_warned_about,
    warn::a_persistent_volume_on_docker_socket_is_warned_about,
    v1beta1::a_pod_is_warned_about_in_v1beta1,
    warn::an_update_of_nine_mebibytes_is_evaluated,
    namespaces::two_namespaces_have_modes_of_their_own_and_follow_their_labels,
    namespaces::a_label_without_meaning_is_refused_on_the_namespace,
    namespaces::a_dry_run_of_the_label_is_the_rehearsal,
    namespaces::an_exemption_on_the_namespace_lets_a_pod_through,
    namespaces::a_pod_that_reaches_docker_through_a_claim_is_refused,
    policy::freeze_serves_what_exists_and_refuses_what_is_new,
    policy::a_spoofed_owner_reference_is_refused_in_freeze,
    policy::an_exemption_on_a_deployment_and_a_cron_job_reaches_their_pods,
    policy::enforce_says_what_happens_to_an_old_deployment,
    scan::doctor_before_the_install_says_what_is_missing,
    scan::doctor_after_the_install_finds_everything_in_order,
    scan::a_scan_with_the_shipped_role_reads_everything,
    scan::a_scan_without_the_role_says_what_it_could_not_read,
    scan::an_exemption_has_the_same_effect_in_webhook_check_and_scan,
    controller::exactly_one_replica_scans,
    controller::a_report_follows_its_owner,
    controller::policy_reports_are_written_where_only_they_are_installed,
    controller::the_other_replica_takes_over_and_says_nothing_twice,
    controller::the_nodes_are_published,
    controller::labels_through_subresources_are_reviewed,
    controller::a_namespace_made_again_without_its_mode_is_told,
    controller::without_permissions_the_controller_says_so_and_reviews_go_on,
    series::the_runs_of_one_maker_are_one_row,
    coverage::a_log_with_the_webhook_deleted_half_way_is_unknown,
    availability::both_replicas_are_asked,
    availability::a_write_passes_while_undock_is_down_and_failures_are_ignored,
];

/// After `overlays/enforce` has replaced it.
const IN_ENFORCE_MODE: &[Scenario] = scenarios![
    enforce::a_bare_pod_is_refused_with_the_message_of_the_contract,
    enforce::a_denial_names_every_finding,
    enforce::a_deployment_is_refused_at_its_own_write,
    enforce::the_replicaset_controller_meets_the_same_denial_each_time,
    enforce::a_flagged_deployment_can_be_relabelled_scaled_and_patched,
    enforce::pods_of_an_old_template_are_refused_unless_exempt,
    enforce::a_docker_socket_cannot_be_added_to_a_clean_deployment,
    enforce::an_ephemeral_container_is_refused_only_for_what_it_adds,
    enforce::an_object_that_is_being_deleted_can_be_updated,
    v1beta1::a_pod_is_refused_in_v1beta1,
    availability::no_call_fails_while_certificates_are_rotated,
    availability::no_call_fails_during_a_rolling_restart,
    availability::a_write_is_refused_while_undock_is_down_and_failures_are_not_ignored,
    controller::an_event_tells_of_what_is_new,
    series::an_event_tells_of_a_series,
    outage::no_answer_is_wrong_or_lost_while_the_api_server_is_away,
    // Last: what it leaves behind slows everything down.
    many::ten_thousand_pods_are_scanned_and_left_alone,
];

/// Starts the cluster, runs everything that was asked for and panics with the names of what failed.
pub(crate) fn run(root: &Path, assets: Assets) {
    let started = Instant::now();
    let world = World::start(&assets, root);
    say(&format!(
        "control plane and undock are ready after {:.1} s",
        started.elapsed().as_secs_f32()
    ));

    let mut failed = run_each(&world, IN_WARN_MODE);
    enforce::prepare_what_must_exist_before(&world);
    world.enforce();
    failed.extend(run_each(&world, IN_ENFORCE_MODE));
    assert!(
        failed.is_empty(),
        "{} failed: {}",
        failed.len(),
        failed.join(", ")
    );
}

fn run_each(world: &World, scenarios: &[Scenario]) -> Vec<&'static str> {
    let only = env::var(ONLY).unwrap_or_default();
    let wanted = scenarios.iter().filter(|(name, _)| name.contains(&only));
    let failed = wanted.filter(|(name, scenario)| {
        let started = Instant::now();
        // The panic itself has been printed, with its place, when this returns.
        let failed = catch_unwind(AssertUnwindSafe(|| scenario(world))).is_err();
        let result = if failed { "FAILED" } else { "ok" };
        say(&format!(
            "{result:6} {name} ({:.1} s)",
            started.elapsed().as_secs_f32()
        ));
        if failed {
            say(&format!("what undock logged:\n{}", world.kubelet.logs()));
        }
        failed
    });
    failed.map(|(name, _)| *name).collect()
}
