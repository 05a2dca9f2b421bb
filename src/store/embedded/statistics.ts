/** What has happened since the start or CONFIG RESETSTAT: INFO's sections stats and commandstats. */

interface Counts {
  calls: number;
  /** Milliseconds, of all calls. */
  took: number;
  /** Refused before it ran. */
  rejected: number;
  /** Ran, and answered an error. */
  failed: number;
}

export class Statistics {
  connections = 0;
  /** Commands that ran, those of scripts and transactions among them. */
  commands = 0;
  readonly #counts = new Map<string, Counts>();

  ran(command: string, took: number, failed: boolean): void {
    this.commands++;
    const counts = this.#of(command);
    counts.calls++;
    counts.took += took;
    if (failed) counts.failed++;
  }

  rejected(command: string): void {
    this.#of(command).rejected++;
  }

  reset(): void {
    this.connections = 0;
    this.commands = 0;
    this.#counts.clear();
  }

  /** The lines of commandstats. */
  lines(): Record<string, string> {
    return Object.fromEntries(
      [...this.#counts].map(([command, { calls, took, rejected, failed }]) => {
        const usec = Math.round(took * 1000);
        const each = (calls > 0 ? usec / calls : 0).toFixed(2);
        const errors = `rejected_calls=${rejected},failed_calls=${failed}`;
        return [`cmdstat_${command}`, `calls=${calls},usec=${usec},usec_per_call=${each},${errors}`];
      }),
    );
  }

  #of(command: string): Counts {
    let counts = this.#counts.get(command);
    if (!counts) {
      counts = { calls: 0, took: 0, rejected: 0, failed: 0 };
      this.#counts.set(command, counts);
    }
    return counts;
  }
}
