// Figures of a queue in words, and shapes for how bad they are.

import type { MeasureName, MeasureView, QueueView, SeverityName } from '../../bindings';
import { duration, type Messages } from '../../i18n';
import type { IconName } from '../../shared/Icon.svelte';

const TIMES: readonly MeasureName[] = ['longest_wait', 'expected_wait', 'average_answer', 'average_handling'];

/** A figure as people read it: 1:20, 84%, 3. */
export function figure(t: Messages, name: MeasureName, value: number): string {
  if (TIMES.includes(name)) return duration(value * 1000);
  if (name === 'service_level') return t.settings.percent(value);
  return String(value);
}

export function measure(queue: QueueView, name: MeasureName): MeasureView | undefined {
  return queue.measures.find((one) => one.measure === name);
}

/** The longest wait counts on by itself. */
export function longest(queue: QueueView, now: number): string {
  if (queue.longest_since_ms !== null) return duration(now - queue.longest_since_ms);
  const told = measure(queue, 'longest_wait');
  return told === undefined || told.value === 0 ? '–' : duration(told.value * 1000);
}

/** A shape beside the figure, so that colour is not all; null while all is well. */
export const SEVERITY_ICON: Record<SeverityName, IconName | null> = { normal: null, yellow: 'yellow', red: 'warn' };
