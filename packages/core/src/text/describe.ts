/**
 * Makes text of errors, causes and remedies. Nothing else in core writes a sentence about them.
 */
import type { CauseCode, CauseInfo, EdgeCode, ErrorCode, ErrorInfo, Remedy } from "../domain/errors/index.ts"
import { commandTexts, providerTexts, storeTexts } from "./AdapterTexts.ts"
import { causeTexts } from "./CauseTexts.ts"
import { coordinationTexts } from "./CoordinationTexts.ts"
import { executionTexts } from "./ExecutionTexts.ts"
import { findingTexts } from "./FindingTexts.ts"
import { notifierTexts } from "./NotifierTexts.ts"
import { commandOf, remedyText } from "./remedyText.ts"
import { requestTexts } from "./RequestTexts.ts"
import { because, type Text, type Texts, words } from "./words.ts"

type Renderer = (params: Readonly<Record<string, unknown>>, detail: string | undefined) => Text | string

const rendered = ({ code, detail, params }: CauseInfo): Text => {
  const render = (texts as unknown as Readonly<Record<string, Renderer | undefined>>)[code]
  // A code of another version: its name says more than nothing.
  if (render === undefined) return { message: `${words(code)}${because(detail)}` }
  const text = render(params, detail)
  return typeof text === "string" ? { message: text } : text
}

/** What a cause says. */
export const describeCause = (cause: CauseInfo): string => rendered(cause).message

const texts: Texts<CauseCode> = {
  ...requestTexts,
  ...coordinationTexts,
  ...executionTexts(describeCause),
  ...providerTexts(describeCause),
  ...storeTexts,
  ...commandTexts,
  ...notifierTexts,
  ...causeTexts(describeCause),
  ...findingTexts
}

/** The last word about a stack: of its provider, as text, or of the engine. */
export const progressText = (progress: CauseInfo | string): string =>
  typeof progress === "string" ? progress : describeCause(progress)

/** A cause as JSON shows it: as data, and in words. */
export const causeView = ({ code, detail, params }: CauseInfo) => ({
  code,
  message: describeCause({ code, params, ...(detail === undefined ? {} : { detail }) }),
  params,
  ...(detail === undefined ? {} : { detail })
})

/** What several causes say, one after the other. */
export const describeCauses = (all: ReadonlyArray<CauseInfo>): string => all.map(describeCause).join("; ")

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

/** The remedies in one line. */
const describeRemedies = (remedies: ReadonlyArray<Remedy>): string | undefined =>
  remedies.length === 0 ? undefined : capital(remedies.map(remedyText).join(" · "))

/** What to type to go ahead all the same; undefined where there is no way. */
export const describeWaysOut = (remedies: ReadonlyArray<Remedy> = []): string | undefined =>
  remedies.length === 0 ? undefined : remedies.map((remedy) => commandOf(remedy) ?? remedyText(remedy)).join(", or: ")

/**
 * What an error says, and what to do next.
 *
 * *Details*: a provider's own hint replaces ours; other remedies come after it.
 */
export const describe = (info: ErrorInfo): Text => {
  const { hint, message } = rendered(info)
  const remedies = info.remedies ?? []
  const own = remedies.flatMap((remedy) => (remedy._tag === "hint" ? [remedy.text] : []))
  const others = describeRemedies(remedies.filter(({ _tag }) => _tag !== "hint"))
  const all = [...(own.length > 0 ? own : hint === undefined ? [] : [hint]), ...(others === undefined ? [] : [others])]
  return { message, ...(all.length === 0 ? {} : { hint: all.join(" ") }) }
}

/** An error as JSON and every other surface shows it: as data, and in words. */
export interface DescribedError extends Partial<Pick<ErrorInfo, "params" | "detail" | "remedies">> {
  readonly code: ErrorInfo["code"] | ErrorCode | EdgeCode
  readonly message: string
  readonly hint?: string
  readonly path?: string
}

/** Renders an error, and keeps its data. */
export const errorView = (info: ErrorInfo): DescribedError & Pick<ErrorInfo, "params"> => {
  const { hint, message } = describe(info)
  const { code, params, path, remedies, detail } = info
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(path === undefined ? {} : { path }),
    params,
    ...(detail === undefined ? {} : { detail }),
    ...(remedies === undefined ? {} : { remedies })
  }
}
