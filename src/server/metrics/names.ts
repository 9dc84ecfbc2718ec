/** Every metric: name, labels, what it says. Base units; times are timestamps, so that rules over them survive restarts. */

export interface Metric {
  readonly help: string;
  readonly labels: readonly string[];
}

const metric = (help: string, ...labels: readonly string[]): Metric => ({ help, labels });

export const METRICS = {
  holdfast_build_info: metric('1; the labels say what runs', 'version', 'node'),
  holdfast_last_success_timestamp_seconds: metric('When a run of this kind last succeeded', 'app', 'kind'),
  holdfast_last_end_timestamp_seconds: metric('When a run of this kind last ended', 'app', 'kind'),
  holdfast_last_run_succeeded: metric('1 when the last run of this kind succeeded', 'app', 'kind'),
  holdfast_last_run_duration_seconds: metric('How long the last successful run of this kind took', 'app', 'kind'),
  holdfast_runs: metric('Runs that are not over, by state', 'state'),
  holdfast_points: metric('Restore points', 'app'),
  holdfast_newest_point_timestamp_seconds: metric('The time of the newest restore point', 'app'),
  holdfast_newest_point_bytes: metric('What the newest restore point holds', 'app'),
  holdfast_backup_added_bytes: metric('New plain bytes of the last backup', 'app'),
  holdfast_backup_stored_bytes: metric('What they take in each storage', 'app'),
  holdfast_status_timestamp_seconds: metric('When the status of the app was last seen', 'app'),
  holdfast_objective_promised_seconds: metric('What is promised', 'app', 'objective'),
  holdfast_objective_actual_seconds: metric('How it is', 'app', 'objective'),
  holdfast_objective_kept: metric('1 when the promise is kept', 'app', 'objective'),
  holdfast_wal_loss_seconds: metric('Commits that would be lost if the server died now', 'app', 'source'),
  holdfast_wal_gaps: metric('Gaps in the WAL archive that no point follows yet', 'app', 'source'),
  holdfast_storage_state: metric('1 for the state that the storage is in', 'storage', 'state'),
  holdfast_storage_seen_timestamp_seconds: metric('When the storage was last seen', 'storage'),
  holdfast_storage_used_bytes: metric('What is used of the storage', 'storage'),
  holdfast_storage_capacity_bytes: metric('What the storage has', 'storage'),
  holdfast_alerts: metric('Alerts that are not resolved', 'severity', 'state'),
  holdfast_deliveries: metric('Messages by channel and what became of them', 'channel', 'state'),
  holdfast_retention_frozen: metric('1 while nothing of the app may be removed', 'app'),
  holdfast_workers: metric('Processes that said lately that they are there', 'role'),
  holdfast_worker_seen_timestamp_seconds: metric('When the process was last heard of', 'worker', 'role'),
  holdfast_schedule_next_timestamp_seconds: metric('When the schedule is due next', 'app', 'schedule', 'kind'),
  holdfast_scheduler_seen_timestamp_seconds: metric('When schedules were last looked at'),
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

export interface Sample {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
