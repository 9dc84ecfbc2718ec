/** From a command's context to the world of a process that stays. */
import { hostname } from 'node:os';
import { asFailure } from '../base/failure.ts';
import { LiveConfiguration } from '../service/live-configuration.ts';
import { LEVELS, type Level, serviceLog } from '../service/log.ts';
import type { ServiceWorld } from '../service/world.ts';
import { option } from './command.ts';
import type { Context } from './context.ts';

export const logOption = option.choice('LEVEL', LEVELS, 'what is written down (default: info)');

export async function serviceWorld(context: Context, level: Level = 'info'): Promise<ServiceWorld> {
  const { clock, env, build, signal } = context;
  const log = serviceLog({ level, clock });
  const configuration = await LiveConfiguration.open(() => context.readConfig());
  context.onReload?.(() => {
    configuration.reload().then(
      () => log.info('The configuration was read again.'),
      (error: unknown) => {
        const { message, details } = asFailure(error);
        log.error(
          'The configuration does not hold. Schedules and settings stay as they were; runs read the file, and fail until it is mended.',
          { reason: message, details },
        );
      },
    );
  });
  return { clock, env, build, signal, hostname: hostname(), configuration, log };
}
