/** The rows of the clinic's tables, as objects whose keys are the columns. Made one after the other, never all at once. */
import {
  type Clinic,
  DAY,
  isoDay,
  PRACTITIONERS,
  patientOf,
  practitionerOf,
  signatureFile,
  tenantOf,
  timeOf,
} from './clinic.ts';
import type { ClinicFile } from './files.ts';
import { random } from './random.ts';
import { ALLERGIES, FAMILY_NAMES, FINDINGS, GIVEN_NAMES, PLANS, REASONS } from './words.ts';

export type Row = Readonly<Record<string, unknown>>;

const MIGRATIONS = [
  ...[
    'contenttypes.0001_initial',
    'auth.0001_initial',
    'auth.0002_alter_permission_name_max_length',
    'sessions.0001_initial',
  ],
  ...['patients.0001_initial', 'patients.0002_answers', 'encounters.0001_initial', 'encounters.0002_clinicalmedia'],
  ...['encounters.0003_media_sha256', 'reports.0001_initial', 'billing.0001_initial', 'billing.0002_unpaid_view'],
];

export function migrationRows(clinic: Clinic): Row[] {
  const began = clinic.today - 800 * DAY;
  return MIGRATIONS.map((migration, index) => {
    const [app, name] = migration.split('.');
    return { id: index + 1, app, name, applied: iso(began + index * 9 * DAY) };
  });
}

export function practitionerRows(): Row[] {
  return PRACTITIONERS.map((practitioner) => ({ ...practitioner, signature_file: signatureFile(practitioner) }));
}

export function* patientRows(clinic: Clinic): Generator<Row> {
  const draw = random(clinic.seed, 'patients');
  for (let id = 1; id <= clinic.patients; id++) {
    const sex = draw.chance(0.01) ? 'X' : draw.chance(0.52) ? 'F' : 'M';
    const family = `${draw.pick(FAMILY_NAMES)} ${draw.pick(FAMILY_NAMES)}`;
    yield {
      id,
      tenant_id: tenantOf(id),
      record_number: `HC-${String(id).padStart(6, '0')}`,
      given_name: draw.pick(GIVEN_NAMES[sex]),
      family_name: family,
      birth_date: isoDay(clinic.today - draw.between(365, 33_000) * DAY),
      sex,
      phone: `+34 6${draw.between(10_000_000, 99_999_999)}`,
      email: draw.chance(0.8) ? `patient${id}@example.org` : null,
      answers: { allergies: draw.pick(ALLERGIES), smoker: draw.chance(0.2), phototype: draw.between(1, 6) },
      created_at: iso(clinic.today - draw.between(1, 730) * DAY),
    };
  }
}

/** Visits number `first` to `last`. */
export function* encounterRows(clinic: Clinic, first: number, last: number): Generator<Row> {
  const draw = random(clinic.seed, 'encounters', first);
  for (let id = first; id <= last; id++) {
    yield {
      id,
      patient_id: patientOf(clinic, id),
      practitioner_id: practitionerOf(clinic, id).id,
      started_at: iso(timeOf(clinic, id)),
      reason: draw.pick(REASONS),
      findings: `${draw.pick(FINDINGS)}. ${draw.pick(FINDINGS)}.`,
      plan: draw.pick(PLANS),
    };
  }
}

/** One row for each photograph among `files`. */
export function mediaRows(clinic: Clinic, files: readonly ClinicFile[], firstId: number): Row[] {
  return files
    .filter((file) => file.kind === 'photo')
    .map(({ path, bytes, sha256, encounter }, index) => {
      const taken_at = iso(timeOf(clinic, encounter) + 600_000);
      return { id: firstId + index, encounter_id: encounter, file: path, bytes, sha256, taken_at };
    });
}

/** One row for each report among `files`. */
export function reportRows(clinic: Clinic, files: readonly ClinicFile[], firstId: number): Row[] {
  return files
    .filter((file) => file.kind === 'report')
    .map(({ path, number, bytes, sha256, encounter }, index) => {
      const signed_at = iso(timeOf(clinic, encounter) + DAY);
      return { id: firstId + index, encounter_id: encounter, number, file: path, bytes, sha256, signed_at };
    });
}

/** Half as many appointments as visits: most in the past and kept, some to come. */
export function* appointmentRows(clinic: Clinic): Generator<Row> {
  const draw = random(clinic.seed, 'appointments');
  const count = Math.floor(clinic.encounters / 2);
  for (let id = 1; id <= count; id++) {
    const future = id > count * 0.95;
    const starts = future ? clinic.today + draw.between(1, 60) * DAY + 9 * 3600_000 : timeOf(clinic, id * 2);
    yield {
      id,
      patient_id: patientOf(clinic, id * 2),
      practitioner_id: practitionerOf(clinic, id * 2).id,
      starts_at: iso(starts),
      minutes: draw.pick([15, 30, 45]),
      status: future ? 'booked' : draw.pick(['done', 'done', 'done', 'done', 'missed', 'cancelled']),
    };
  }
}

/** Two invoices for every three visits. */
export function* invoiceRows(clinic: Clinic): Generator<Row> {
  const draw = random(clinic.seed, 'invoices');
  const count = Math.floor((clinic.encounters * 2) / 3);
  for (let id = 1; id <= count; id++) {
    const encounter = Math.floor((id * 3) / 2);
    const patient = patientOf(clinic, encounter);
    const issued_on = isoDay(timeOf(clinic, encounter));
    yield {
      id,
      tenant_id: tenantOf(patient),
      patient_id: patient,
      number: `F-${issued_on.slice(0, 4)}-${String(id).padStart(6, '0')}`,
      issued_on,
      total_cents: draw.between(40, 600) * 50,
      paid: draw.chance(0.93),
    };
  }
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
