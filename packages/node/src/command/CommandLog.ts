/**
 * A file with the output of a command: a line of JSON for each line, redacted.
 */
import { type FileHandle, open } from "node:fs/promises"

/** Where the log goes. Each line contains `correlationId`. */
export interface CommandLogOptions {
  readonly path: string
  readonly correlationId: string
  /** Called once if it cannot be written. The command continues. */
  readonly onBroken: (reason: string) => void
}

type Stream = "stdout" | "stderr"

/** A longer line is written in parts. */
const longest = 1 << 16

export class CommandLog {
  readonly #options: CommandLogOptions
  readonly #rest: Record<Stream, string> = { stdout: "", stderr: "" }
  #file: Promise<FileHandle> | undefined
  #queue: Promise<void> = Promise.resolve()

  constructor(options: CommandLogOptions) {
    this.#options = options
    this.#file = open(options.path, "a", 0o600)
    this.#file.catch((error: unknown) => this.#break(error))
  }

  write(stream: Stream, bytes: Buffer): Promise<void> {
    if (this.#file === undefined) return Promise.resolve()
    const lines = (this.#rest[stream] + bytes.toString("latin1")).split("\n")
    let rest = lines.pop()!
    while (rest.length >= longest) {
      lines.push(rest.slice(0, longest))
      rest = rest.slice(longest)
    }
    this.#rest[stream] = rest
    return this.#append(stream, lines)
  }

  /** Writes the incomplete lines. */
  async close(): Promise<void> {
    for (const stream of ["stdout", "stderr"] as const) {
      if (this.#rest[stream] !== "") await this.#append(stream, [this.#rest[stream]])
    }
    await this.#queue
    await this.#file?.then((file) => file.close()).catch((error: unknown) => this.#break(error))
  }

  #append(stream: Stream, lines: ReadonlyArray<string>): Promise<void> {
    if (lines.length === 0) return this.#queue
    const { correlationId } = this.#options
    const at = new Date().toISOString()
    const text = lines
      .map((bytes) => {
        const line = Buffer.from(bytes.endsWith("\r") ? bytes.slice(0, -1) : bytes, "latin1").toString("utf8")
        return `${JSON.stringify({ at, correlationId, stream, line })}\n`
      })
      .join("")
    this.#queue = this.#queue
      .then(async () => {
        const file = await this.#file
        await file?.appendFile(text)
      })
      .catch((error: unknown) => this.#break(error))
    return this.#queue
  }

  #break(error: unknown): void {
    if (this.#file === undefined) return
    void this.#file.then((file) => file.close()).catch(() => undefined)
    this.#file = undefined
    this.#options.onBroken(
      `${this.#options.path} could not be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}`
    )
  }
}
