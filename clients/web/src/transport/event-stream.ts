// Reads server-sent events off a text stream (HTML 9.2.6), as far as our server writes them.

export interface StreamEvent {
  readonly type: string;
  readonly data: string;
}

export class EventStream {
  private rest = '';
  private type = '';
  private data: string[] = [];

  /** The events that are complete with this piece. */
  push(text: string): StreamEvent[] {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.take(line));
  }

  private take(line: string): StreamEvent[] {
    if (line === '') {
      const events = this.data.length > 0 ? [{ type: this.type || 'message', data: this.data.join('\n') }] : [];
      this.type = '';
      this.data = [];
      return events;
    }
    // A line without a colon is a field without a value; one that begins with it is a comment.
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (field === 'event') this.type = value;
    if (field === 'data') this.data.push(value);
    return [];
  }
}
