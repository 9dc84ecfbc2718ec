/**
 * The clinic's files: photographs in a folder per patient, reports by year and month, one signature per practitioner.
 * All are real images and documents, all differ, and the same clinic always has the same ones.
 */
import { createHash } from 'node:crypto';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clinic, isoDay, PRACTITIONERS, patientOf, practitionerOf, signatureFile, timeOf } from './clinic.ts';
import { encodePdf } from './pdf.ts';
import { signatureScan, skinPhoto } from './pictures.ts';
import { encodePng } from './png.ts';
import { type Random, random } from './random.ts';
import { FINDINGS, PLANS, REASONS } from './words.ts';

export interface ClinicFile {
  readonly kind: 'photo' | 'report' | 'signature';
  /** Relative to the media directory, `/`-separated. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The visit it belongs to; 0 for a signature, which belongs to a practitioner. */
  readonly encounter: number;
  /** The report's number, for reports. */
  readonly number?: string;
}

/** A file that is to be made: everything but its content. */
interface Plan {
  readonly kind: ClinicFile['kind'];
  readonly path: string;
  readonly size: number;
  readonly encounter: number;
  readonly number?: string;
}

const MIB = 1024 * 1024;
const SIGNATURE_BYTES = 50_000;
const REPORT_BYTES = 200_000;
const PHOTO_BYTES = { least: 300_000, most: 3_000_000 };
/** The part of all bytes that reports take; photographs take the rest. */
const REPORT_SHARE = 0.12;

export interface FilesProgress {
  readonly files: number;
  readonly bytes: number;
  /** About how many bytes there will be. */
  readonly totalBytes: number;
}

/** Makes all files of `clinic` in `directory` and tells what it made. */
export async function generateFiles(
  directory: string,
  clinic: Clinic,
  onProgress: (progress: FilesProgress) => void = () => {},
): Promise<ClinicFile[]> {
  const made: ClinicFile[] = [];
  let bytes = 0;
  for (const plan of planFiles(clinic)) {
    const file = await makeFile(directory, clinic, plan);
    made.push(file);
    bytes += file.bytes;
    onProgress({ files: made.length, bytes, totalBytes: clinic.megabytes * MIB });
  }
  return made;
}

/** Makes photographs and reports for these visits, the way `generateFiles` does for the clinic's history. */
export async function generateFilesFor(
  directory: string,
  clinic: Clinic,
  encounters: readonly number[],
): Promise<ClinicFile[]> {
  const made: ClinicFile[] = [];
  const sizes = random(clinic.seed, 'later sizes', encounters[0] ?? 0);
  for (const [index, encounter] of encounters.entries()) {
    const plan =
      index % 3 === 2 ? planReport(clinic, encounter) : planPhoto(clinic, encounter, photoSize(clinic, sizes));
    made.push(await makeFile(directory, clinic, plan));
  }
  return made;
}

/** Signs anew: overwrites one practitioner's signature with a different one. */
export async function replaceSignature(directory: string, clinic: Clinic, practitioner: number): Promise<ClinicFile> {
  const owner = PRACTITIONERS[practitioner - 1]!;
  const plan: Plan = { kind: 'signature', path: signatureFile(owner), size: SIGNATURE_BYTES * 1.1, encounter: 0 };
  return await makeFile(directory, clinic, plan);
}

function planFiles(clinic: Clinic): Plan[] {
  const total = clinic.megabytes * MIB;
  const signatures = PRACTITIONERS.map(
    (owner): Plan => ({ kind: 'signature', path: signatureFile(owner), size: SIGNATURE_BYTES, encounter: 0 }),
  );
  const sizes = random(clinic.seed, 'sizes');
  const reportCount = Math.max(2, Math.round((total * REPORT_SHARE) / REPORT_BYTES));
  let left = total - signatures.length * SIGNATURE_BYTES - reportCount * REPORT_BYTES;
  const photoSizes: number[] = [];
  while (left > 0 || photoSizes.length === 0) {
    const size = photoSize(clinic, sizes);
    photoSizes.push(size);
    left -= size;
  }
  /** Visit number `index` of `count` that are spread over the whole history; the two kinds never meet at a visit. */
  const spread = (index: number, count: number, offset: number) =>
    1 + offset + 2 * Math.floor((index * (clinic.encounters - 2)) / count / 2);
  return [
    ...signatures,
    ...photoSizes.map((size, index) => planPhoto(clinic, spread(index, photoSizes.length, 0), size)),
    ...Array.from({ length: reportCount }, (_, index) => planReport(clinic, spread(index, reportCount, 1))),
  ];
}

/** Small photographs are more common than large ones. A tiny clinic has only small ones. */
function photoSize({ megabytes }: Clinic, draw: Random): number {
  const most = Math.max(PHOTO_BYTES.least, Math.min(PHOTO_BYTES.most, (megabytes * MIB) / 8));
  return Math.round(PHOTO_BYTES.least + (most - PHOTO_BYTES.least) * draw.next() ** 1.5);
}

function planPhoto(clinic: Clinic, encounter: number, size: number): Plan {
  const folder = String(patientOf(clinic, encounter)).padStart(6, '0');
  const path = `patients/${folder}/${isoDay(timeOf(clinic, encounter))}-visit-${encounter}.png`;
  return { kind: 'photo', path, size, encounter };
}

function planReport(clinic: Clinic, encounter: number): Plan {
  const [year, month] = isoDay(timeOf(clinic, encounter)).split('-');
  const number = `R-${year}-${String(encounter).padStart(6, '0')}`;
  return { kind: 'report', path: `reports/${year}/${month}/${number}.pdf`, size: REPORT_BYTES, encounter, number };
}

async function makeFile(directory: string, clinic: Clinic, plan: Plan): Promise<ClinicFile> {
  const content = render(clinic, plan, random(clinic.seed, plan.path, plan.size));
  const target = join(directory, plan.path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, content);
  const time = (plan.encounter === 0 ? clinic.today : timeOf(clinic, plan.encounter)) / 1000;
  await utimes(target, time, time);
  const { size: _, ...rest } = plan;
  return { ...rest, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

function render(clinic: Clinic, { kind, size, encounter, number }: Plan, draw: Random): Buffer {
  if (kind === 'signature') return encodePng(signatureScan(size, draw), draw);
  if (kind === 'photo') return encodePng(skinPhoto(size, draw), draw);
  const lines = [
    `Report ${number}    ${isoDay(timeOf(clinic, encounter))}`,
    `Patient record ${String(patientOf(clinic, encounter)).padStart(6, '0')}, visit ${encounter}`,
    '',
    `Reason:   ${draw.pick(REASONS)}`,
    `Findings: ${draw.pick(FINDINGS)}`,
    `Plan:     ${draw.pick(PLANS)}`,
    '',
    `Signed: ${plain(practitionerOf(clinic, encounter).name)}`,
  ];
  return encodePdf({ title: 'Dermatology report', lines, picture: skinPhoto(size - 1500, draw) }, draw);
}

/** Without accents: the report's font is used with its built-in ASCII encoding. */
function plain(text: string): string {
  return text.normalize('NFD').replace(/[^ -~]/g, '');
}
