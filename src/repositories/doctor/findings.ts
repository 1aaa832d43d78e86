import type { DoctorReport, Finding, FindingKind } from './types.ts';

/** Of each kind. */
const MAX_KEPT = 100;

/** What a doctor has found so far. */
export class Findings {
  readonly #found: Record<FindingKind, number> = {
    'vector.missing': 0,
    'vector.stale': 0,
    'vector.orphan': 0,
    'record.expired': 0,
    'record.corrupt': 0,
    'unique.missing': 0,
    'unique.orphan': 0,
    'unique.conflict': 0,
    'index.missing': 0,
    'index.orphan': 0,
  };
  readonly #kept: Finding[] = [];
  readonly checked = { records: 0, vectors: 0, claims: 0, entries: 0 };
  deadLetters = 0;
  found = 0;
  fixed = 0;

  add(finding: Finding): void {
    this.found++;
    if (finding.fixed) this.fixed++;
    if (this.#found[finding.kind]++ < MAX_KEPT) this.#kept.push(finding);
  }

  report(): DoctorReport {
    const { checked, fixed, found, deadLetters } = this;
    return { checked, found: this.#found, fixed, findings: this.#kept, deadLetters, isHealthy: found === fixed };
  }
}
