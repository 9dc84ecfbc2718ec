import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeObjectives, type ObjectiveInput } from './objectives.ts';

const NOTHING: ObjectiveInput = {
  rpo: undefined,
  rto: undefined,
  exposures: [],
  measured: undefined,
  copies: undefined,
};
const exposure = (source: string, type: string, seconds: number | null) => ({ source, type, seconds, because: 'told' });

test('nothing promised, nothing judged', () => {
  assert.deepEqual(judgeObjectives(NOTHING), []);
});

test('the RPO is judged on the worst of the databases, whatever the age of the files', () => {
  const exposures = [exposure('media', 'files', 90_000), exposure('a', 'postgres', 2), exposure('b', 'postgres', 40)];
  const [kept] = judgeObjectives({ ...NOTHING, rpo: 60_000, exposures });
  assert.deepEqual(kept, { objective: 'rpo', promised: 60, actual: 40, state: 'kept', because: 'b: told' });
  const [broken] = judgeObjectives({ ...NOTHING, rpo: 30_000, exposures });
  assert.equal(broken?.state, 'broken');
});

test('a database without any point breaks the RPO', () => {
  const exposures = [exposure('a', 'postgres', 1), exposure('b', 'postgres', null)];
  assert.deepEqual(
    judgeObjectives({ ...NOTHING, rpo: 60_000, exposures }).map(({ state, actual }) => ({ state, actual })),
    [{ state: 'broken', actual: null }],
  );
});

test('without a database the RPO is judged on the files', () => {
  const [state] = judgeObjectives({ ...NOTHING, rpo: 60_000, exposures: [exposure('media', 'files', 90)] });
  assert.equal(state?.state, 'broken');
});

test('the RTO is unknown until a proof measured it', () => {
  assert.equal(judgeObjectives({ ...NOTHING, rto: 60_000 })[0]?.state, 'unknown');
  const at = (seconds: number) =>
    judgeObjectives({ ...NOTHING, rto: 60_000, measured: { seconds, time: 'today' } })[0]?.state;
  assert.deepEqual([at(59), at(61)], ['kept', 'broken']);
});

test('fewer copies than asked for break an objective', () => {
  const held = (copies: number) => judgeObjectives({ ...NOTHING, copies: { required: 2, held: copies } })[0]?.state;
  assert.deepEqual([held(1), held(2), held(3)], ['broken', 'kept', 'kept']);
});
