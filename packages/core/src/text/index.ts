/** The one place that makes text of errors, causes, questions and remedies. */
export {
  causeView,
  describe,
  describeCause,
  describeCauses,
  describeWaysOut,
  type DescribedError,
  errorView,
  progressText
} from "./describe.ts"
export { endedView } from "./endedText.ts"
export { nearest } from "./nearest.ts"
export { purposeText } from "./purposeText.ts"
export { lackWords } from "./RequestTexts.ts"
export type { Text } from "./words.ts"
export { alertText } from "./alertText.ts"
export { shortSpan } from "./shortSpan.ts"
export { type MessageField, messageText, type MessageTemplate, type MessageText } from "./notification/messageText.ts"
