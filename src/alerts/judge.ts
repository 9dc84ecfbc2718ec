/** All rules, asked together; what is switched off is not asked, and severities are those of the configuration. */
import type { Finding } from '../catalog/alerts.ts';
import type { AlertRuleName, AlertRules } from '../config/alert-settings.ts';
import { backupFailure, duration, sizeDeviation } from './rules/backups.ts';
import { objectiveAtRisk, objectiveBroken } from './rules/objectives.ts';
import { entropyJump, massChange } from './rules/ransomware.ts';
import type { AppFacts, AppRule, Fine, ServiceFacts, ServiceRule, Verdict } from './rules/rule.ts';
import { missedSchedule, retentionStands } from './rules/schedules.ts';
import {
  auditBroken,
  clockSkew,
  schedulerStalled,
  storageBehind,
  storageCapacity,
  storageUnreachable,
  workerLost,
} from './rules/service.ts';
import { integrityFailure, proofFailed, proofTooOld, restoreFailure } from './rules/verification.ts';
import { walGap, walLag } from './rules/wal.ts';

export type { AppFacts, PointSize, ServiceFacts, Verdict } from './rules/rule.ts';
export { lostWorker } from './rules/service.ts';

const APP_RULES: Readonly<Partial<Record<AlertRuleName, AppRule>>> = {
  backup_failure: backupFailure,
  size_deviation: sizeDeviation,
  duration,
  integrity_failure: integrityFailure,
  restore_failure: restoreFailure,
  proof_failed: proofFailed,
  proof_too_old: proofTooOld,
  wal_lag: walLag,
  wal_gap: walGap,
  objective_broken: objectiveBroken,
  objective_at_risk: objectiveAtRisk,
  missed_schedule: missedSchedule,
  retention_frozen: retentionStands,
  entropy_jump: entropyJump,
  mass_change: massChange,
};

const SERVICE_RULES: Readonly<Partial<Record<AlertRuleName, ServiceRule>>> = {
  storage_capacity: storageCapacity,
  storage_unreachable: storageUnreachable,
  storage_behind: storageBehind,
  worker_lost: workerLost,
  clock_skew: clockSkew,
  scheduler_stalled: schedulerStalled,
  audit_broken: auditBroken,
};

export interface Judgement {
  readonly findings: readonly Finding[];
  readonly fine: readonly Fine[];
}

export function judgeApp(facts: AppFacts, rules: AlertRules): Judgement {
  return sorted(
    enabled(APP_RULES, rules).flatMap((rule) => rule(facts, rules)),
    rules,
  );
}

export function judgeService(facts: ServiceFacts, rules: AlertRules): Judgement {
  return sorted(
    enabled(SERVICE_RULES, rules).flatMap((rule) => rule(facts, rules)),
    rules,
  );
}

/** One verdict from elsewhere, as the configuration wants it. */
export function judgeOne(verdict: Verdict, rules: AlertRules): Judgement {
  if (verdict.state === 'firing' && !rules[verdict.rule].enabled) return { findings: [], fine: [] };
  return sorted([verdict], rules);
}

function enabled<R>(all: Readonly<Partial<Record<AlertRuleName, R>>>, rules: AlertRules): R[] {
  return Object.entries(all).flatMap(([name, rule]) => (rules[name as AlertRuleName].enabled ? [rule] : []));
}

function sorted(verdicts: readonly Verdict[], rules: AlertRules): Judgement {
  const findings = verdicts.flatMap((verdict): Finding[] => {
    if (verdict.state === 'fine') return [];
    const { state: _state, ...finding } = verdict;
    return [{ ...finding, severity: rules[finding.rule].severity ?? finding.severity }];
  });
  return { findings, fine: verdicts.filter((verdict) => verdict.state === 'fine') };
}
