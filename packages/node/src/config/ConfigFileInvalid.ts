import * as Schema from "effect/Schema"
import type { EdgeError } from "@signalbox/core/spi"

/**
 * A configuration file that is missing, cannot be read or has no value. Mistakes *in* the value are
 * `ConfigurationInvalid`.
 *
 * *Details*: `line` and `column` count from 1. The message never quotes the file's content.
 *
 * *Errors*: not retryable.
 */
export class ConfigFileInvalid extends Schema.TaggedError<ConfigFileInvalid>()("ConfigFileInvalid", {
  code: Schema.Literals(["config_missing", "config_unreadable", "config_syntax", "config_failed", "config_empty"]),
  file: Schema.optionalKey(Schema.String),
  line: Schema.optionalKey(Schema.Int),
  column: Schema.optionalKey(Schema.Int),
  detail: Schema.String,
  hint: Schema.String
}) {
  override get message(): string {
    return this.file === undefined ? this.detail : `${this.where}: ${this.detail}`
  }

  /** The file, with line and column if they are known. */
  get where(): string {
    return [this.file, this.line, this.column].filter((part) => part !== undefined).join(":")
  }

  /** How every surface shows it. */
  get info(): EdgeError {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint,
      path: this.where
    }
  }
}
