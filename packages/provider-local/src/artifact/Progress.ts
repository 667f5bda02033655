/** Where progress goes. Repeated messages are harmless. */
export type Report = (message: string) => Promise<void>

const firstMillis = 500
const laterMillis = 2_000

/** Reports at most every two seconds, because each report is written to the log of the execution. */
export class Progress {
  readonly #report: Report
  #next = performance.now() + firstMillis

  constructor(report: Report) {
    this.#report = report
  }

  async tell(message: () => string): Promise<void> {
    if (performance.now() < this.#next) return
    await this.#report(message())
    this.#next = performance.now() + laterMillis
  }
}

/** 12345678 → `12.3 MB`. */
export const shownSize = (bytes: number): string =>
  bytes < 1e6
    ? `${Math.ceil(bytes / 1e3)} kB`
    : bytes < 1e9
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${(bytes / 1e9).toFixed(1)} GB`

export const shownCount = (count: number): string => count.toLocaleString("en-US")
