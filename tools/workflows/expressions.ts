import { data, Evaluator, Lexer, Parser } from "@actions/expressions"
import type { FunctionDefinition } from "@actions/expressions/funcs/info"
import { isBasicExpression } from "@actions/workflow-parser"
import type { TemplateToken } from "@actions/workflow-parser/templates/tokens/index"

/** What expressions can name, as plain values. */
export type Contexts = Readonly<Record<string, unknown>>

/** How things stand where an expression is evaluated: what `success()` and its siblings answer. */
export interface Standing {
  readonly success: boolean
  readonly failure: boolean
  readonly cancelled: boolean
}

const answer = (name: string, value: boolean): FunctionDefinition => ({
  name,
  minArgs: 0,
  maxArgs: 0,
  call: () => new data.BooleanData(value)
})

const evaluate = (expression: string, contexts: Contexts, standing: Standing): data.ExpressionData => {
  const functions = [
    answer("always", true),
    answer("success", standing.success),
    answer("failure", standing.failure),
    answer("cancelled", standing.cancelled)
  ]
  const { tokens } = new Lexer(expression).lex()
  const parsed = new Parser(tokens, Object.keys(contexts), functions).parse()
  const dictionary = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary
  return new Evaluator(parsed, dictionary, new Map(functions.map((one) => [one.name, one]))).evaluate()
}

const nothing: Standing = { success: true, failure: false, cancelled: false }

/** A value as a text, its expressions evaluated. */
export const textOf = (token: TemplateToken | undefined, contexts: Contexts, standing = nothing): string =>
  token === undefined
    ? ""
    : isBasicExpression(token)
      ? evaluate(token.expression, contexts, standing).coerceString()
      : token.toString()

/** Whether a condition holds. */
export const holds = (token: TemplateToken | undefined, contexts: Contexts, standing: Standing): boolean => {
  if (token === undefined) return standing.success
  if (!isBasicExpression(token)) return token.toString() !== "" && token.toString() !== "false"
  const value = evaluate(token.expression, contexts, standing)
  switch (value.kind) {
    case data.Kind.Null:
      return false
    case data.Kind.Boolean:
      return (value as data.BooleanData).value
    case data.Kind.Number:
      return (value as data.NumberData).value !== 0
    case data.Kind.String:
      return value.coerceString() !== ""
    default:
      return true
  }
}
