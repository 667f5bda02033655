/**
 * Validates the CDEvents that the channel `webhook` sends against the schemas that the CDEvents project publishes, from a clone
 * of its specification at v0.5.1. Packages must have been built.
 *
 *     node scripts/cdevents.ts <folder of the clone>
 */
import { Ajv2020 } from "ajv/dist/2020.js"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { sampleMessages, withOutsideText } from "../packages/core/src/testing/notifier/sampleMessages.ts"
import { messageText } from "../packages/core/src/text/index.ts"
import { cdEvent } from "../packages/notify/src/webhook/cdEvent.ts"

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error("which folder holds the specification? node scripts/cdevents.ts <folder>")

const readSchemas = (path: string): ReadonlyArray<{ readonly $id: string }> =>
  readdirSync(join(folder, path))
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(join(folder, path, name), "utf8")))

const uri = (text: string) => URL.canParse(text)
const ajv = new Ajv2020({
  strict: false,
  allErrors: true,
  formats: {
    uri,
    "uri-reference": (text: string) => URL.canParse(text, "https://example.com"),
    "date-time": (text: string) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text)
  }
})
ajv.addSchema([...readSchemas("schemas"), ...readSchemas("schemas/links")])
ajv.addSchema(JSON.parse(readFileSync(join(folder, "custom/schema.json"), "utf8")))

const schemaOf = (type: string): string => {
  const [, subject, predicate] = /^dev\.cdevents\.(\w+)\.(\w+)\./.exec(type) ?? []
  return `https://cdevents.dev/0.5.1/schema/${subject === undefined ? "custom" : `${subject}-${predicate}-event`}`
}

const texts = [
  "x".repeat(5_000),
  "ü€😀".repeat(2_000),
  '"\\'.repeat(2_500),
  "a\r\nb\u001b[31m\u202e\ud800%",
  " ",
  "/?#"
]
const messages = sampleMessages().flatMap((one) => [one, ...texts.map((text) => withOutsideText(one, text))])
const types = new Set<string>()
const invalid = messages.flatMap((message) => {
  const event = cdEvent(message, messageText(message)) as { readonly context: { readonly type: string } }
  types.add(event.context.type)
  const schema = schemaOf(event.context.type)
  return ajv.validate(schema, event) ? [] : [`${message.facts.kind} against ${schema}: ${ajv.errorsText()}`]
})
for (const one of invalid) console.error(one)
console.log(`${messages.length} events of ${types.size} types: ${invalid.length} invalid`)
process.exitCode = invalid.length === 0 ? 0 : 1
