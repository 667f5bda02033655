/**
 * A failure as the user sees it: an exit code, a code for scripts, a message and what to do next.
 */
import * as Cause from "effect/Cause"
import type * as CliError from "effect/cli/CliError"
import * as Data from "effect/Data"
import { type EdgeCode, type ErrorCode, type ErrorInfo, escapeUnfit, LeaseKey } from "@signalbox/core/spi"
import { type DescribedError, errorView, nearest, purposeText } from "@signalbox/core/text"
import { ExitCode, exitCodeOfError } from "./ExitCode.ts"
import { clock } from "../live/words.ts"

export interface FailureShape {
  readonly exitCode: number
  readonly info: DescribedError
  /** All further mistakes, one line each. */
  readonly more?: ReadonlyArray<string>
}

/** A failure that a command finds itself. */
export class Failure extends Data.TaggedError("Failure")<FailureShape> {
  override get message(): string {
    return this.info.message
  }
}

/** A failure whose code says what it exits with. */
export const failure = (info: DescribedError): Failure => new Failure({ exitCode: exitCodeOfError(info), info })

/** The command line is wrong. */
export const usage = (code: EdgeCode | ErrorCode, message: string, hint: string, path?: string): Failure =>
  new Failure({ exitCode: ExitCode.usage, info: { code, message, hint, ...(path === undefined ? {} : { path }) } })

/** A flag needs a value and has none. */
export const valueMissing = (flag: string, command: ReadonlyArray<string>): Failure =>
  usage("invalid_value", `Missing value for flag ${flag}`, hintOfMissing(flag, command), flag)

const hintOfMissing = (flag: string, command: ReadonlyArray<string>): string =>
  `Is a variable empty there? A value that begins with - is written ${flag}=<value>. See: ${command.join(" ")} --help`

/** Not found. */
export const notFound = (code: EdgeCode | ErrorCode, message: string, hint: string): Failure =>
  new Failure({ exitCode: ExitCode.notFound, info: { code, message, hint } })

interface LeaseShape {
  readonly key: string
  readonly holder: string
  readonly owner: string
  readonly acquiredAt: number
  readonly expiresAt: number
  readonly purpose?: { readonly kind: string; readonly by?: string }
}

const times = ({ acquiredAt, expiresAt }: LeaseShape): string =>
  `since ${clock(acquiredAt)}; unless renewed, its lease ends at ${clock(expiresAt)}`

/** The holder, what it does, since when, until when, and what to type. */
const held = (lease: LeaseShape): FailureShape => {
  const key = LeaseKey.parseLeaseKey(lease.key)
  if (key?._tag !== "Environment") {
    // The claim of an execution's runner: the execution is known, and the name of its process means nothing to people.
    const id = key === undefined || key._tag === "Notify" ? lease.key : key.id
    return failure({
      code: "claimed_elsewhere",
      message: `another process runs ${id} ${times(lease)}`,
      hint: `Follow it: signalbox attach ${id} · stop it: signalbox abort ${id}`
    })
  }
  const { deploymentId, environment } = key
  return failure({
    code: "blocked_by_lease",
    message: `${lease.holder} holds the lease on ${deploymentId} ${environment} (${purposeText(lease.purpose)}) ${times(lease)}`,
    hint: `Every reason: signalbox can-deploy ${deploymentId} --environment ${environment} --explain · follow it: signalbox attach ${lease.holder} · stop it: signalbox abort ${lease.holder}`
  })
}

const described = (info: ErrorInfo): FailureShape => ({ exitCode: exitCodeOfError(info), info: errorView(info) })

interface Tagged {
  readonly _tag?: unknown
  readonly message?: unknown
  readonly info?: ErrorInfo | DescribedError
  readonly lease?: LeaseShape
  readonly issues?: ReadonlyArray<{
    readonly path: string
    readonly message: string
    readonly hint: string
    readonly line?: number
  }>
  readonly file?: string
  readonly where?: string
}

const unexpected = (error: unknown): FailureShape => ({
  exitCode: ExitCode.failed,
  info: {
    code: "internal",
    message: `something went wrong inside signalbox: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`,
    hint: "Nothing is lost: what was done is in the log. Run again with SIGNALBOX_DEBUG=1 to see more."
  }
})

/**
 * How any error is shown. Errors are distinguished by their tags: their classes would load the whole engine for
 * `--help`.
 */
export const failureOf = (error: unknown): FailureShape => {
  const tagged = (typeof error === "object" && error !== null ? error : {}) as Tagged
  switch (tagged._tag) {
    case "Failure":
      return error as Failure
    case "ShowHelp":
      return usageFailure(error as CliError.ShowHelp)
    case "Rejected": {
      const shown = described(tagged.info as ErrorInfo)
      const { info } = shown
      return tagged.lease === undefined
        ? shown
        : { ...shown, info: { ...info, message: `${info.message} ${times(tagged.lease)}` } }
    }
    case "ConfigurationInvalid": {
      const info = tagged.info as DescribedError
      return {
        exitCode: exitCodeOfError(info),
        info: {
          ...info,
          message: `${tagged.file === undefined ? "" : `${tagged.where}: `}${info.path === "" ? "" : `${info.path}: `}${info.message}`
        },
        more: tagged
          .issues!.slice(1)
          .map(
            ({ hint, line, message, path }) =>
              `${line === undefined ? "" : `line ${line}: `}${path === "" ? "" : `${path}: `}${message} (${hint})`
          )
      }
    }
    case "ConfigFileInvalid":
    case "PluginInvalid":
      return failure(tagged.info as DescribedError)
    case "LeaseHeld":
      return held(tagged.lease!)
    case "LeaseLost":
    case "StoreError":
    case "ProviderError":
    case "NotifyError":
      return described(tagged.info as ErrorInfo)
    default:
      return unexpected(error)
  }
}

/** How the cause of a program's end is shown; undefined if it was merely interrupted. */
export const failureOfCause = (cause: Cause.Cause<unknown>): FailureShape | undefined => {
  const [reason] = cause.reasons.filter((one) => !Cause.isInterruptReason(one))
  if (reason === undefined) return undefined
  return failureOf(Cause.isFailReason(reason) ? reason.error : (reason as { readonly defect?: unknown }).defect)
}

const usageFailure = ({ commandPath, errors }: CliError.ShowHelp): FailureShape => {
  const shown = errors.map((error) => {
    const [message = "", , ...rest] = messageOf(error).split("\n")
    const suggestion = rest.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("Did you mean"))
    return { message: message.replace(/ in command .*$/, "").replace(/ for "signalbox"$/, ""), suggestion, error }
  })
  const first = shown[0]
  const help = `${commandPath.join(" ")} --help`
  const suggestion = first === undefined ? undefined : (first.suggestion[0] ?? sharedFlag(first.error))
  return {
    exitCode: ExitCode.usage,
    info: {
      code: first === undefined ? "usage" : (codeOf(first.error) as EdgeCode),
      message: first?.message ?? "the command line is wrong",
      hint:
        first !== undefined && lacksValue(first.error)
          ? hintOfMissing(pathOf(first.error), commandPath)
          : suggestion !== undefined
            ? `Did you mean ${suggestion}?`
            : `See: ${help}`,
      ...(first === undefined ? {} : { path: pathOf(first.error) })
    },
    more: shown.slice(1).map(({ message }) => message)
  }
}

/** A value may contain line breaks, the message must not. */
const messageOf = (error: CliError.NonShowHelpErrors): string =>
  error._tag === "InvalidValue" && error.value !== ""
    ? error.message.replace(error.value, () => escapeUnfit(error.value))
    : error.message

const lacksValue = (error: CliError.NonShowHelpErrors): boolean =>
  error._tag === "InvalidValue" && error.kind === "flag" && error.value === ""

/** Flags of every command are not among the flags that `effect/cli` compares with. */
const sharedFlags = ["json", "environment", "region", "config", "directory", "color", "no-color", "help", "version"]
const sharedFlag = (error: CliError.NonShowHelpErrors): string | undefined => {
  if (error._tag !== "UnrecognizedOption" || !error.option.startsWith("--")) return undefined
  const name = nearest(error.option.slice(2), sharedFlags)
  return name === undefined ? undefined : `--${name}`
}

const codeOf = (error: { readonly _tag: string }): string =>
  error._tag.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase()

const pathOf = (error: CliError.NonShowHelpErrors): string => {
  switch (error._tag) {
    case "UnrecognizedOption":
      return error.option
    case "MissingOption":
      return `--${error.option}`
    case "InvalidValue":
      return error.kind === "flag" ? `--${error.option}` : `<${error.option}>`
    case "MissingArgument":
      return `<${error.argument}>`
    case "UnexpectedArgument":
      return error.arguments[0] ?? ""
    case "UnknownSubcommand":
      return error.subcommand
    default:
      return ""
  }
}
