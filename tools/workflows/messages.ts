/** A message that a step leaves on the page of the run. */
export interface Annotation {
  readonly level: "notice" | "warning" | "error"
  readonly title: string
  readonly message: string
}

export interface Messages {
  readonly annotations: ReadonlyArray<Annotation>
  readonly masks: ReadonlyArray<string>
  /** Titles of the groups, in their order. */
  readonly groups: ReadonlyArray<string>
  /** Whether commands were left switched off: the rest of the job would be deaf. */
  readonly deaf: boolean
}

const data = (text: string) => text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%")
const property = (text: string) => data(text.replaceAll("%3A", ":").replaceAll("%2C", ","))

/** Workflow commands that the runner reads from a log. */
export const messagesOf = (log: string): Messages => {
  const annotations: Array<Annotation> = []
  const masks: Array<string> = []
  const groups: Array<string> = []
  let token: string | undefined
  for (const line of log.split("\n")) {
    const [, name = "", properties = "", text = ""] = /^::([\w-]+)(?: ([^:]*))?::(.*)$/.exec(line.trimStart()) ?? []
    if (token !== undefined) {
      if (name === token) token = undefined
    } else if (name === "stop-commands") token = text
    else if (name === "add-mask") masks.push(data(text))
    else if (name === "group") groups.push(data(text))
    else if (name === "notice" || name === "warning" || name === "error") {
      const [, title = ""] = /title=([^,]*)/.exec(properties) ?? []
      annotations.push({ level: name, title: property(title), message: data(text) })
    }
  }
  return { annotations, masks, groups, deaf: token !== undefined }
}
