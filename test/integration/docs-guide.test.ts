/** The examples of the guide, run word for word, one page after the other, on a machine like the one that it speaks of. */
import { after, before, describe, test } from 'node:test';
import { DocsWorld, examplesSkip } from '../support/docs-world.ts';

const skip = await examplesSkip();

describe('the guide', { skip }, () => {
  let world: DocsWorld;
  before(async () => {
    world = await DocsWorld.make();
  });
  after(() => world?.[Symbol.asyncDispose]());

  test('getting started works word for word', () => world.follow('docs/guide/getting-started.md'));
  test('restoring goes on from there, with Holdfast and with restic only', () =>
    world.follow('docs/guide/restoring.md'));
  test('proofs: a real test restore and its report', () => world.follow('docs/guide/proofs.md'));
  test('leave it running: the service, from nothing to a run on record', () =>
    world.follow('docs/guide/leave-it-running.md'));
  test('retention: what would go, what went, pins', () => world.follow('docs/guide/retention.md'));
  test('keys and kit: a second password, another password, the kit', () => world.follow('docs/guide/keys-and-kit.md'));
});
