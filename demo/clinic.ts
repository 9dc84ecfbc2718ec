/** The size of the clinic, and the few facts that its files and its rows must agree on. Everything follows from the seed. */

export interface Clinic {
  readonly seed: number;
  /** About how many MiB of photographs, reports and signatures. */
  readonly megabytes: number;
  readonly patients: number;
  /** Visits over the two years before `today`; numbered from 1, in order of time. */
  readonly encounters: number;
  /** The day the clinic's history ends, as milliseconds since the epoch, midnight UTC. */
  readonly today: number;
}

export const DAY = 24 * 3600_000;
const HISTORY_DAYS = 730;

/** A clinic with a quarter of a GiB of files and database: the whole story is to be over in two minutes on two slow processors. */
export const FULL_CLINIC: Clinic = {
  ...{ seed: 2026, megabytes: 150, patients: 12_000, encounters: 72_000 },
  today: Date.UTC(2026, 10, 20),
};

/** A clinic for tests: the same in kind, made in a second. */
export const SMALL_CLINIC: Clinic = { ...FULL_CLINIC, megabytes: 5, patients: 300, encounters: 1500 };

export const TENANTS = [
  { id: 1, slug: 'centro', name: 'Clínica Dermatológica Centro', city: 'Madrid' },
  { id: 2, slug: 'ribera', name: 'Clínica Dermatológica Ribera', city: 'Valencia' },
  { id: 3, slug: 'norte', name: 'Clínica Dermatológica Norte', city: 'Bilbao' },
] as const;

export const PRACTITIONERS = [
  { id: 1, tenant_id: 1, name: 'Dra. Inés Álvarez', speciality: 'Dermatology' },
  { id: 2, tenant_id: 1, name: 'Dr. Tomás Quiroga', speciality: 'Dermatology' },
  { id: 3, tenant_id: 2, name: 'Dra. Carmen Peña', speciality: 'Surgery' },
  { id: 4, tenant_id: 2, name: 'Dr. Luis Ferrer', speciality: 'Dermatology' },
  { id: 5, tenant_id: 3, name: 'Dra. Ane Etxeberria', speciality: 'Dermatopathology' },
  { id: 6, tenant_id: 3, name: 'Dr. Jon Mendizábal', speciality: 'Allergology' },
] as const;

export type Practitioner = (typeof PRACTITIONERS)[number];

/** Who came to a visit: spread evenly, by Knuth's multiplicative hashing. */
export function patientOf(clinic: Clinic, encounter: number): number {
  return 1 + ((Math.imul(encounter, 0x9e3779b1) >>> 0) % clinic.patients);
}

/** The clinic that a patient belongs to. */
export function tenantOf(patient: number): number {
  return 1 + (patient % TENANTS.length);
}

/** Who saw the patient: one of the two practitioners of the patient's clinic. */
export function practitionerOf(clinic: Clinic, encounter: number): Practitioner {
  const tenant = tenantOf(patientOf(clinic, encounter));
  return PRACTITIONERS[(tenant - 1) * 2 + (encounter % 2)]!;
}

/** When a visit began: on a quarter of an hour between 8:00 and 18:00. Visits after the history's end follow day by day. */
export function timeOf(clinic: Clinic, encounter: number): number {
  const position = (encounter * HISTORY_DAYS) / (clinic.encounters + 1);
  const day = Math.floor(position);
  const quarter = Math.floor((position - day) * 40);
  return clinic.today + (day - HISTORY_DAYS) * DAY + (8 * 60 + quarter * 15) * 60_000;
}

/** Where a practitioner's signature is kept; a new one overwrites the old. */
export function signatureFile(practitioner: Practitioner): string {
  return `signatures/${practitioner.name
    .split(' ')
    .at(-1)!
    .normalize('NFD')
    .replace(/[^a-z]/gi, '')
    .toLowerCase()}.png`;
}

/** `2026-11-20` */
export function isoDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
