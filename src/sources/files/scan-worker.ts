/** The scanning thread: walks the tree and sends packed batches, never more of them ahead of the reader than agreed. */
import { errno } from '../../base/errno.ts';
import { ThreadPort } from '../../base/thread-port.ts';
import { reasonOf } from '../system-errors.ts';
import { compileExcludes } from './exclude.ts';
import { BatchPacker, type PackedBatch } from './packed-batch.ts';
import { type ScanMessage, type ScanOrder, SLOT } from './scan-thread.ts';
import { TreeScan } from './tree-scan.ts';

/** Thrown to leave the walk when the reader has gone. */
class Stopped extends Error {}

const port = new ThreadPort<ScanOrder, never, ScanMessage>();
const order = await port.data();
const control = new Int32Array(order.control);
let sent = 0;

/** Waits until the reader has taken enough, then sends. The counters wrap at 2^32; only their difference counts. */
function send(batch: PackedBatch): void {
  for (;;) {
    if (Atomics.load(control, SLOT.stop) !== 0) throw new Stopped();
    const taken = Atomics.load(control, SLOT.taken);
    if (((sent - taken) | 0) < order.maxAhead) break;
    Atomics.wait(control, SLOT.taken, taken);
  }
  sent = (sent + 1) | 0;
  port.post({ type: 'batch', batch }, [batch.numbers.buffer, batch.wide.buffer, batch.text.buffer]);
}

try {
  const packer = new BatchPacker(send);
  const isExcluded = compileExcludes(order.exclude);
  new TreeScan({ ...order, isExcluded }, packer).run();
  packer.flush();
  port.post({ type: 'end' });
} catch (error) {
  if (!(error instanceof Stopped)) {
    port.post({ type: 'failed', code: errno(error), reason: reasonOf(error) });
  }
}
