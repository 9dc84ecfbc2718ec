/**
 * A command about the service: it asks the API, which answers from the server that is named, or else from the catalog of the configuration, in
 * this process. One way for both, so that they do the same.
 */
import { EXIT } from '../base/failure.ts';
import {
  type Arguments,
  type Command,
  type CommandDefinition,
  defineCommand,
  type ExitStatus,
  type Options,
} from './command.ts';
import type { RemoteContext } from './remote.ts';

type Definition<A extends Arguments, O extends Options> = CommandDefinition<A, O>;

interface ServiceDefinition<A extends Arguments, O extends Options> extends Omit<Definition<A, O>, 'run' | 'remote'> {
  /** Resolves with the exit status; with nothing it is done. */
  ask(
    context: RemoteContext,
    given: Parameters<Definition<A, O>['run']>[1],
    // biome-ignore lint/suspicious/noConfusingVoidType: most commands end with "done" and need not say so
  ): Promise<ExitStatus | void>;
}

export function serviceCommand<
  A extends Arguments = Readonly<Record<never, never>>,
  O extends Options = Readonly<Record<never, never>>,
>({ ask, ...definition }: ServiceDefinition<A, O>): Command {
  const answer = async (context: RemoteContext, given: Parameters<typeof ask>[1]) =>
    (await ask(context, given)) ?? EXIT.done;
  return defineCommand<A, O>({
    ...definition,
    run: async (context, given) => {
      const { askHere } = await import('./here.ts');
      return askHere(context, (here) => answer(here, given));
    },
    remote: answer,
  });
}
