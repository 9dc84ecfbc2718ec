/** What a long operation tells while it runs. The command line draws it, the server streams it; operations only report. */
export type ProgressEvent =
  | {
      readonly type: 'step';
      readonly step: string;
      readonly title: string;
      readonly totalBytes?: number;
      readonly totalItems?: number;
      /** It goes on until it is stopped: what matters is what came. */
      readonly endless?: true;
    }
  | {
      readonly type: 'advance';
      readonly step: string;
      /** Done so far in this step, not an increment. */
      readonly bytes?: number;
      readonly items?: number;
      readonly totalBytes?: number;
      readonly totalItems?: number;
      readonly current?: string;
    }
  | {
      readonly type: 'done';
      readonly step: string;
      readonly outcome: 'done' | 'failed' | 'skipped';
      readonly message?: string;
    }
  | {
      readonly type: 'warning';
      readonly message: string;
      readonly hint?: string;
      readonly source?: string;
      readonly storage?: string;
      readonly item?: string;
      /** Just as it was set up, and told each time: `--quiet` leaves it out. */
      readonly expected?: true;
    }
  | { readonly type: 'note'; readonly message: string };

export type Progress = (event: ProgressEvent) => void;

export const silent: Progress = () => {};
