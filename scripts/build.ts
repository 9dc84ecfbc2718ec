/**
 * Builds `dist/main/`: the program in few files, which start in a third of the time of its many sources. A clone, the published package and
 * the container image run it alike. With `--when-stale`, only where `bin/holdfast` would not run what is there.
 */
import { argumentsOf } from './arguments.ts';
import { buildProgram, isStale } from './building.ts';

const { values } = argumentsOf('npm run build [-- --when-stale]: makes dist/', {
  options: { 'when-stale': { type: 'boolean' } },
});
if (values['when-stale'] !== true || isStale()) await buildProgram();
