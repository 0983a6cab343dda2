// The call centre and the services of the exchange, on the whole page: by keyboard and by names, as they are told and as they are asked for.

import { screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import type { MockHost } from '../host/mock';
import { wav } from '../shared/sound';
import { nl } from '../i18n/nl';
import { fill, leave, open, press, sent, type, violations } from './harness';

afterEach(leave);

const centre = (more: Parameters<typeof open>[0] = {}): Promise<MockHost> => open({ link: 'live', queue: true, ...more });
const alt = (key: string): void => press(key, { altKey: true, code: `Key${key.toUpperCase()}` });
const altShift = (key: string): void => press(key.toUpperCase(), { altKey: true, shiftKey: true, code: `Key${key.toUpperCase()}` });
const region = (name: string): HTMLElement => screen.getByRole('region', { name });

describe('the agent', () => {
  it('changes state with a reason, from the keyboard, and sees what the exchange made of it', async () => {
    const host = await centre();
    expect(document.querySelector('[data-opens="agent"]')?.textContent).toContain('Beschikbaar');
    alt('a');
    const panel = await screen.findByRole('group', { name: 'Agent' });
    // A reason is required here, so there is no way without one.
    expect(within(panel).queryByRole('button', { name: 'Zonder reden' })).toBeNull();
    within(panel).getByRole('button', { name: 'Lunch' }).click();
    expect(sent(host, 'agent.state')).toEqual([{ cmd: 'agent.state', state: 'unavailable', account: 'main', reason: 'LUNCH' }]);
    await waitFor(() => expect(document.querySelector('[data-opens="agent"]')?.textContent).toMatch(/Niet beschikbaar.*Lunch/));
  });

  it('keeps the focus in the panel when the exchange allows something else meanwhile', async () => {
    const host = await centre();
    alt('a');
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Nawerk'));
    const { agent } = host.company.centre;
    if (agent === null) throw new Error('no agent');
    host.company.change({ agent: { ...agent, allowed: ['sign_out'] } });
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Afmelden'));
  });

  it('joins and leaves single queues, where that is allowed', async () => {
    const host = await centre();
    alt('a');
    (await screen.findByRole('switch', { name: 'Aannemen voor Support', checked: true })).click();
    expect(sent(host, 'queue.leave')).toEqual([{ cmd: 'queue.leave', queue: 'support', account: 'main' }]);
    await screen.findByRole('switch', { name: 'Aannemen voor Support', checked: false });
    expect(screen.getByRole<HTMLButtonElement>('switch', { name: 'Aannemen voor Administratie' }).disabled).toBe(true);
    expect(screen.getByText(nl.agent.fixed)).toBeTruthy();
  });

  it('sees the end of wrap-up and puts it off with one key', async () => {
    const host = await centre();
    host.company.finished(7, { uri: '', name: 'Garage Jansen', number: '1' }, false);
    const left = (): number => {
      const [, minutes, seconds] = /nog (\d+):(\d+)/.exec(document.querySelector('[data-wrap-up]')?.textContent ?? '') ?? [];
      return Number(minutes) * 60 + Number(seconds);
    };
    await waitFor(() => expect(left()).toBeGreaterThan(0));
    const before = left();
    alt('e');
    expect(sent(host, 'agent.wrap_up.extend')).toEqual([{ cmd: 'agent.wrap_up.extend', seconds: 30, account: 'main' }]);
    await waitFor(() => expect(document.querySelector('[data-wrap-up]')?.textContent).toContain('verlengd'));
    expect(left()).toBeGreaterThan(before);
  });

  it('is told of drift and its cause, and of being the last one', async () => {
    const host = await centre();
    const { agent } = host.company.centre;
    if (agent === null) throw new Error('no agent');
    host.company.change({
      agent: {
        ...agent, state: 'unavailable',
        drift: { wanted: 'available', wanted_reason: '', actual: 'unavailable', actual_reason: '', cause: 'dnd', since_ms: 0 },
        refused: { code: 'last_staffed', detail: null, queues: ['Support'], at_ms: 0 },
      },
    });
    alt('a');
    await screen.findByText(/U koos Beschikbaar; de centrale zegt Niet beschikbaar\.\s+Niet storen staat aan\./);
    screen.getByText(/Zonder u zit er niemand in: Support/);
    screen.getByRole('button', { name: 'Vraag opnieuw' }).click();
    screen.getByRole('button', { name: 'Toch afmelden' }).click();
    expect(sent(host, 'agent.drift')).toEqual([{ cmd: 'agent.drift', action: 'repeat', account: 'main' }]);
    expect(sent(host, 'agent.state')).toEqual([{ cmd: 'agent.state', state: 'sign_out', account: 'main', force: true }]);
  });
});

describe('what is not as it should be', () => {
  it('says which rule of the exchange changed the state, and asks again by one key', async () => {
    const host = await centre();
    const { agent } = host.company.centre;
    if (agent === null) throw new Error('no agent');
    alt('r');
    expect(sent(host, 'agent.drift')).toHaveLength(0);
    host.company.change({
      warnings: ['agent_drift'],
      agent: { ...agent, state: 'unavailable', drift: { wanted: 'available', wanted_reason: '', actual: 'unavailable', actual_reason: '', cause: 'personal_call', since_ms: 0 } },
    });
    const line = await waitFor(() => document.querySelector<HTMLElement>('[data-line="main agent_drift"]') ?? Promise.reject(new Error('not said')));
    expect(line.textContent).toContain(nl.agent.causes.personal_call);
    alt('r');
    within(line).getByRole('button', { name: 'Laat het zo' }).click();
    expect(sent(host, 'agent.drift')).toEqual([
      { cmd: 'agent.drift', action: 'repeat', account: 'main' }, { cmd: 'agent.drift', action: 'accept', account: 'main' },
    ]);
  });

  it('is mended where it is said: do not disturb, forwarding, night, a setting', async () => {
    const host = await centre();
    host.company.change({ warnings: ['do_not_disturb_available', 'forwarded_available', 'night_drift', 'service_drift'] });
    (await screen.findByRole('button', { name: 'Niet storen uit' })).click();
    screen.getByRole('button', { name: 'Altijd doorschakelen uit' }).click();
    expect(sent(host, 'service.set')).toEqual([
      { cmd: 'service.set', service: 'do_not_disturb', values: { active: false }, account: 'main' },
      { cmd: 'service.set', service: 'forward_always', values: { active: false }, account: 'main' },
    ]);
    screen.getByRole('button', { name: /Bekijk/ }).click();
    await screen.findByRole('radiogroup', { name: 'Nachtstand, Bedrijf' });
    screen.getByRole('button', { name: /Naar de instelling/ }).click();
    await screen.findByRole('region', { name: 'Instellingen' });
  });

  it('offers nothing that the account may not do', async () => {
    const host = await centre();
    const { services } = host.company.centre;
    host.company.change({ services: services.map((one) => ({ ...one, editable: false })), warnings: ['do_not_disturb_available'] });
    await screen.findByText(nl.centre.warnings.do_not_disturb_available, { selector: 'b' });
    expect(screen.queryByRole('button', { name: 'Niet storen uit' })).toBeNull();
  });
});

describe('the outcome of a call', () => {
  const asked = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('[data-disposition]')];

  it('is given by its digit; a forced one cannot be left, and the next one follows', async () => {
    const host = await centre();
    host.company.finished(7, { uri: '', name: 'Garage Jansen', number: '1' }, true);
    host.company.finished(8, { uri: '', name: 'Hotel De Linde', number: '2' }, false);
    await waitFor(() => expect(asked()).toHaveLength(2));
    // Nobody is torn from what he types.
    expect(document.activeElement?.getAttribute('role')).toBe('combobox');
    press('3');
    expect(sent(host, 'disposition.set')).toHaveLength(0);
    alt('u');
    press('Escape');
    expect(document.activeElement?.getAttribute('role')).toBe('combobox');
    expect(asked()).toHaveLength(2);
    alt('u');
    press('3');
    expect(sent(host, 'disposition.set')).toEqual([{ cmd: 'disposition.set', disposition: 7, code: 'KLACHT', account: 'main' }]);
    await waitFor(() => expect(asked()).toHaveLength(1));
    await waitFor(() => expect(document.activeElement?.closest('[data-disposition]')?.textContent).toContain('Hotel De Linde'));
    within(asked()[0] as HTMLElement).getByRole('button', { name: 'Overslaan' }).click();
    await waitFor(() => expect(asked()).toHaveLength(0));
    expect(document.activeElement?.getAttribute('role')).toBe('combobox');
  });

  it('is asked aloud', async () => {
    const host = await centre();
    host.company.finished(7, { uri: '', name: 'Garage Jansen', number: '1' }, true);
    await waitFor(() => expect(screen.getAllByRole('status').map((one) => one.textContent).join(' ')).toContain(`${nl.disposition.ask('Garage Jansen')} ${nl.disposition.forced} Alt+U.`));
  });
});

describe('queues', () => {
  it('say how bad it is by shape and word, and open to show who waits', async () => {
    const host = await centre();
    const pane = region('Wachtrijen');
    const support = pane.querySelector('[data-queue="support"]');
    expect(support?.textContent).toMatch(/Support.*te druk.*5.*te druk.*\d:\d\d/);
    expect(support?.querySelector('[data-icon="warn"]')).not.toBeNull();
    expect(pane.querySelector('[data-queue="verkoop"] [data-icon="yellow"]')).not.toBeNull();
    within(pane).getByRole('button', { name: /Verkoop/ }).click();
    (await screen.findByRole('button', { name: 'Overnemen: 06 2233 4455' })).click();
    expect(sent(host, 'queue.move')).toEqual([{ cmd: 'queue.move', queue: 'verkoop', account: 'main', call: 'v2' }]);
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Overnemen: 06 2233 4455' })).toBeNull());
  });

  it('ask once more before a caller is cut off', async () => {
    const host = await centre();
    within(region('Wachtrijen')).getByRole('button', { name: /Support/ }).click();
    (await screen.findByRole('button', { name: 'Beëindig: Garage Jansen' })).click();
    expect(sent(host, 'queue.release')).toHaveLength(0);
    (await screen.findByRole('button', { name: 'Beëindig' })).click();
    expect(sent(host, 'queue.release')).toEqual([{ cmd: 'queue.release', queue: 'support', account: 'main', call: 's1' }]);
  });

  it('say when what they show may be old', async () => {
    const host = await centre();
    host.company.changeQueue('verkoop', () => ({ stale_since_ms: Date.now() - 40_000 }));
    await waitFor(() => expect(document.querySelector('[data-queue="verkoop"]')?.textContent).toMatch(/\d+ (sec|min) oud/));
  });

  it('stay named at a call until it ends, and then ask for an outcome that never hides who rings', async () => {
    const host = await centre({ forced: true });
    host.ring();
    await waitFor(() => expect(document.querySelector('article.ringing [data-call-queue]')?.textContent).toMatch(/Wachtrij Verkoop.*wachtte 0:48.*koos 1/));
    press('F2');
    await waitFor(() => expect(document.querySelector('article.call [data-call-queue]')?.textContent).toContain('Wachtrij Verkoop'));
    screen.getByRole('button', { name: 'Toezicht erbij' }).click();
    expect(sent(host, 'escalate')).toHaveLength(1);
    const early = screen.getByRole<HTMLSelectElement>('combobox', { name: 'Uitkomst' });
    early.value = 'TERUG';
    early.dispatchEvent(new Event('change', { bubbles: true }));
    expect(sent(host, 'disposition.set')).toEqual([{ cmd: 'disposition.set', call: 1, code: 'TERUG' }]);
    press('F12');
    const asked = await screen.findByRole('group', { name: /Hoe liep het gesprek/ });
    expect(within(asked).queryByRole('button', { name: 'Overslaan' })).toBeNull();
    host.ring();
    const ringing = await waitFor(() => document.querySelector('article.ringing') ?? Promise.reject(new Error('nobody rings')));
    expect(ringing.compareDocumentPosition(asked) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
    expect(document.activeElement?.closest('[data-disposition]')).toBeNull();
    alt('u');
    expect(document.activeElement).toBe(within(asked).getByRole('button', { name: 'Opgelost' }));
    within(asked).getByRole('button', { name: 'Klacht' }).click();
    expect(sent(host, 'disposition.set')[1]).toMatchObject({ code: 'KLACHT', account: 'main' });
    await waitFor(() => expect(screen.queryByRole('group', { name: /Hoe liep het gesprek/ })).toBeNull());
  });

  it('list who gave up, and who called them back', async () => {
    const host = await centre();
    screen.getByRole('button', { name: 'Terugbellen' }).click();
    const pane = region('Terugbellen');
    await waitFor(() => expect(pane.textContent).toMatch(/Bakkerij Özdemir.*teruggebeld door Sanne Visser/));
    // A withheld number cannot be called back.
    expect(within(pane).getAllByRole('button', { name: /^Bel .* terug$/ })).toHaveLength(2);
    within(pane).getByRole('button', { name: 'Afgehandeld: Garage Jansen' }).click();
    expect(sent(host, 'abandoned.done')).toEqual([{ cmd: 'abandoned.done', abandoned: 1, account: 'main' }]);
    await waitFor(() => expect(pane.textContent).toMatch(/Garage Jansen.*teruggebeld door u/));
  });
});

describe('reasons', () => {
  it('are chosen by their digit while the panel is open', async () => {
    const host = await centre();
    alt('a');
    await screen.findByRole('button', { name: 'Lunch' });
    press('2');
    expect(sent(host, 'agent.state')).toEqual([{ cmd: 'agent.state', state: 'unavailable', account: 'main', reason: 'OVERLEG' }]);
  });
});

describe('the order of callers', () => {
  it('is changed by arrows, and the focus stays with the caller', async () => {
    const host = await centre();
    press('2', { ctrlKey: true });
    const queue = await screen.findByRole('region', { name: 'Support' });
    const grip = within(queue).getByRole('button', { name: 'Plaats 2: Bakkerij Smit' });
    grip.focus();
    press('ArrowUp');
    expect(sent(host, 'queue.reorder')).toEqual([{ cmd: 'queue.reorder', queue: 'support', account: 'main', call: 's2', position: 1 }]);
    await within(queue).findByRole('button', { name: 'Plaats 1: Bakkerij Smit' });
    await waitFor(() => expect(document.activeElement?.getAttribute('aria-label')).toBe('Plaats 1: Bakkerij Smit'));
    press('ArrowUp');
    expect(sent(host, 'queue.reorder')).toHaveLength(1);
  });

  it('is changed by the mouse, and Esc gives it up', async () => {
    const host = await centre();
    press('2', { ctrlKey: true });
    const queue = await screen.findByRole('region', { name: 'Support' });
    const rows = [...queue.querySelectorAll('[data-call]')];
    rows.forEach((row, place) => {
      row.getBoundingClientRect = () => ({ top: place * 20, height: 20 }) as DOMRect;
    });
    const grip = within(queue).getByRole('button', { name: 'Plaats 4: Hotel De Linde' });
    const pointer = (type: string, y: number): boolean =>
      grip.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true, clientY: y, button: 0 }));
    pointer('pointerdown', 70);
    pointer('pointermove', 22);
    await waitFor(() => expect(rows[1]?.classList.contains('before')).toBe(true));
    press('Escape');
    pointer('pointerup', 22);
    expect(sent(host, 'queue.reorder')).toHaveLength(0);
    expect(screen.getByRole('region', { name: 'Toezicht' })).toBeTruthy();
    pointer('pointerdown', 70);
    pointer('pointermove', 22);
    pointer('pointerup', 22);
    expect(sent(host, 'queue.reorder')).toEqual([{ cmd: 'queue.reorder', queue: 'support', account: 'main', call: 's4', position: 2 }]);
  });
});

describe('supervising', () => {
  it('listens in, changes a state with its reason, and reorders callers', async () => {
    const host = await centre();
    press('2', { ctrlKey: true });
    const queue = await screen.findByRole('region', { name: 'Verkoop' });
    within(queue).getByRole('button', { name: 'Meeluisteren: Sanne Visser' }).click();
    expect(sent(host, 'supervise')).toEqual([{ cmd: 'supervise', agent: '201', how: 'listen', account: 'main' }]);
    const choice = within(queue).getByRole<HTMLSelectElement>('combobox', { name: 'Stand wijzigen: Eva Mulder' });
    choice.value = 'unavailable LUNCH';
    choice.dispatchEvent(new Event('change', { bubbles: true }));
    expect(sent(host, 'agent.state')).toEqual([{ cmd: 'agent.state', state: 'unavailable', agent: '203', account: 'main', reason: 'LUNCH' }]);
    within(queue).getByRole('button', { name: 'Eén plaats naar voren: 06 2233 4455' }).click();
    expect(sent(host, 'queue.reorder')).toEqual([{ cmd: 'queue.reorder', queue: 'verkoop', account: 'main', call: 'v2', position: 1 }]);
    press('Escape');
    await screen.findByRole('combobox', { name: /Zoek/ });
  });

  it('names the licence that is missing for what cannot be done here', async () => {
    const host = await centre();
    host.company.change({ missing: [{ capability: 'barge_in', service: null, licence: 'Executive' }] });
    press('2', { ctrlKey: true });
    await screen.findByText(nl.centre.missing(nl.centre.capabilities.barge_in, 'Executive'));
  });

  it('sends nobody to somebody who is highlighted on a page that is not shown', async () => {
    const host = await centre();
    host.ring();
    await screen.findByRole('button', { name: /Opnemen/ });
    press('F2');
    await screen.findByRole('button', { name: /Kiestoetsen/ });
    fill(screen.getByRole<HTMLInputElement>('combobox', { name: /Zoek/ }), 'Eva Mulder');
    await screen.findByRole('option', { name: /Eva Mulder/, selected: true });
    press('4', { ctrlKey: true });
    await screen.findByRole('region', { name: 'Instellingen' });
    press('Enter', { ctrlKey: true });
    await screen.findByRole('combobox', { name: /Zoek/ });
    expect(sent(host, 'call.transfer.blind')).toHaveLength(0);
    press('Enter', { ctrlKey: true });
    await waitFor(() => expect(sent(host, 'call.transfer.blind')).toMatchObject([{ to: '203' }]));
  });

  it('keeps thresholds of the user in place of the exchange’s', async () => {
    const host = await centre();
    press('2', { ctrlKey: true });
    const queue = await screen.findByRole('region', { name: 'Support' });
    const [yellow] = within(queue).getAllByLabelText<HTMLInputElement>('geel vanaf');
    if (yellow === undefined) throw new Error('no field');
    fill(yellow, '4');
    yellow.form?.requestSubmit();
    expect(sent(host, 'queue.thresholds')).toEqual([
      { cmd: 'queue.thresholds', queue: 'support', account: 'main', thresholds: [{ measure: 'waiting', yellow: 4, red: null }, { measure: 'longest_wait', yellow: 60, red: 180 }] },
    ]);
  });
});

describe('services', () => {
  it('are switched, read back, and refused with a reason', async () => {
    const host = await centre();
    press('4', { ctrlKey: true });
    (await screen.findByRole('switch', { name: 'Niet storen', checked: false })).click();
    expect(sent(host, 'service.set')).toEqual([{ cmd: 'service.set', service: 'do_not_disturb', values: { active: true }, account: 'main' }]);
    const dnd = screen.getByRole('article', { name: 'Niet storen' });
    await waitFor(() => expect(dnd.textContent).toContain('Teruggelezen: het staat zo'));
    const always = screen.getByRole('article', { name: 'Altijd doorschakelen' });
    fill(within(always).getByRole<HTMLInputElement>('textbox', { name: 'Naar' }), 'thuis');
    (await within(always).findByRole('button', { name: 'Bewaar' })).click();
    await waitFor(() => expect(always.textContent).toContain(nl.codes.bad_value.what));
    await waitFor(() => expect(within(always).getByRole<HTMLInputElement>('textbox', { name: 'Naar' }).value).toBe('0612345678'));
  });

  it('say when the calendar has switched on do not disturb', async () => {
    const host = await centre();
    const { services } = host.company.centre;
    host.company.change({ services: services.map((one) => (one.service === 'do_not_disturb' ? { ...one, actual: { active: true }, by_calendar: true } : one)) });
    press('4', { ctrlKey: true });
    const dnd = await screen.findByRole('article', { name: 'Niet storen' });
    await waitFor(() => expect(dnd.textContent).toContain(nl.sources.byCalendar));
    expect(screen.queryAllByText(nl.sources.byCalendar)).toHaveLength(1);
  });

  it('show what is fixed, what the account may do, and which licence is missing', async () => {
    await centre();
    press('4', { ctrlKey: true });
    const page = await screen.findByRole('region', { name: 'Instellingen' });
    expect(page.textContent).toMatch(/Opnemen in de centrale: hiervoor is de licentie “Call Recording” nodig/);
    expect(page.textContent).toMatch(/Keuzemenu.*1 Verkoop/);
    expect(within(page).getByRole<HTMLButtonElement>('switch', { name: 'Anonieme bellers weigeren' }).disabled).toBe(true);
    expect(within(page).queryByRole('article', { name: 'Werken op andermans toestel' })).toBeNull();
    within(page).getByRole('switch', { name: 'Aannemen: Receptie', checked: true }).click();
    await within(page).findByRole('switch', { name: 'Aannemen: Receptie', checked: false });
  });

  it('set night by hand and read it back on the lamp', async () => {
    const host = await centre();
    expect(document.querySelector('[data-opens="night"]')?.textContent).toMatch(/Dagstand\s+tot/);
    alt('n');
    within(await screen.findByRole('radiogroup', { name: 'Nachtstand, Bedrijf' })).getByRole('radio', { name: 'Nacht' }).click();
    expect(sent(host, 'night.set')).toEqual([{ cmd: 'night.set', night: 'on', account: 'main' }]);
    await waitFor(() => expect(document.querySelector('[data-opens="night"]')?.textContent).toMatch(/Nachtstand\s+met de hand/));
    await screen.findByText('Teruggelezen: het staat zo');
  });

  it('divert the main line in an emergency: asked once, read back, said everywhere, undone', async () => {
    const host = await centre();
    alt('n');
    fill(await screen.findByRole<HTMLInputElement>('textbox', { name: 'Naar nummer' }), '06 1234 5678');
    await waitFor(() => expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Zet om: Hoofdlijn' }).disabled).toBe(false));
    screen.getByRole('button', { name: 'Zet om: Hoofdlijn' }).click();
    await screen.findByText(/Hoofdlijn: alle gesprekken naar 06 1234 5678\?/);
    expect(sent(host, 'emergency.forward')).toHaveLength(0);
    screen.getByRole('button', { name: 'Zet om' }).click();
    expect(sent(host, 'emergency.forward')).toEqual([{ cmd: 'emergency.forward', account: 'main', to: '06 1234 5678' }]);
    await waitFor(() => expect(document.querySelector('[data-opens="night"]')?.textContent).toContain('Gesprekken gaan naar 06 1234 5678'));
    await waitFor(() => expect(screen.getByText(nl.centre.warnings.emergency_active, { selector: 'b' })).toBeTruthy());
    screen.getByRole('button', { name: 'Zet terug' }).click();
    expect(sent(host, 'emergency.forward')[1]).toEqual({ cmd: 'emergency.forward', account: 'main' });
  });

  it('divert the main line by keys alone, and undo it by the same key', async () => {
    const host = await centre();
    press('N', { code: 'KeyN', altKey: true, shiftKey: true });
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('textbox', { name: 'Naar nummer' })));
    fill(screen.getByRole<HTMLInputElement>('textbox', { name: 'Naar nummer' }), '06 1234 5678');
    press('Enter');
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Zet om'));
    (document.activeElement as HTMLElement).click();
    expect(sent(host, 'emergency.forward')).toEqual([{ cmd: 'emergency.forward', account: 'main', to: '06 1234 5678' }]);
    // It counts once the exchange has told it back.
    await waitFor(() => expect(document.querySelector('[data-opens="night"]')?.textContent).toContain('Gesprekken gaan naar 06 1234 5678'));
    press('Escape');
    press('N', { code: 'KeyN', altKey: true, shiftKey: true });
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Zet terug'));
    (document.activeElement as HTMLElement).click();
    expect(sent(host, 'emergency.forward')[1]).toEqual({ cmd: 'emergency.forward', account: 'main' });
  });
});

describe('voicemail', () => {
  const card = (): Promise<HTMLElement> => screen.findByRole('article', { name: 'Voicemail' });

  it('is kept whole: copy, nobody may speak, and where callers go then', async () => {
    const host = await centre();
    press('4', { ctrlKey: true });
    const mail = await card();
    fill(within(mail).getByRole<HTMLInputElement>('textbox', { name: 'Kopie mailen naar' }), 'kopie@lindeboom.example');
    within(mail).getByRole('checkbox', { name: nl.services.noMessage }).click();
    fill(await within(mail).findByRole<HTMLInputElement>('textbox', { name: 'Daarna naar' }), '195');
    const choice = within(mail).getByRole<HTMLSelectElement>('combobox', { name: 'Begroeting bij geen gehoor' });
    expect([...choice.options].map((option) => option.text)).toEqual(['Die van de centrale', 'Eigen opname: Zomer']);
    choice.value = 'standard';
    choice.dispatchEvent(new Event('change', { bubbles: true }));
    (await within(mail).findByRole('button', { name: 'Bewaar' })).click();
    expect(sent(host, 'service.set')).toEqual([
      { cmd: 'service.set', service: 'voice_mail', account: 'main', values: { copy: 'kopie@lindeboom.example', no_message: true, to: '195', greeting_no_answer: 'standard' } },
    ]);
  });

  it('takes a greeting from a file, and says so when it is none', async () => {
    const host = await centre();
    press('4', { ctrlKey: true });
    const mail = await card();
    const busy = within(mail).getByRole('group', { name: 'Begroeting bij bezet' });
    const give = (bytes: BlobPart, name: string): void => {
      const picker = busy.querySelector<HTMLInputElement>('input[type="file"]');
      if (picker === null) throw new Error('no picker');
      const file = new File([bytes], name);
      file.arrayBuffer = () => new Response(bytes).arrayBuffer();
      Object.defineProperty(picker, 'files', { value: [file], configurable: true });
      picker.dispatchEvent(new Event('change', { bubbles: true }));
    };
    give('no sound at all', 'brief.docx');
    await within(busy).findByText(nl.greeting.trouble.unreadable);
    expect(sent(host, 'greeting.set')).toHaveLength(0);
    give(wav(new Float32Array(800), 8000), 'Vakantie.wav');
    await within(busy).findByText(nl.greeting.sent);
    expect(sent(host, 'greeting.set')).toMatchObject([{ greeting: 'busy', name: 'Vakantie', account: 'main' }]);
    await within(busy).findByRole('option', { name: 'Eigen opname: Vakantie', selected: true });
  });
});

describe('parked calls', () => {
  it('count on, and the longest one is fetched by a key', async () => {
    const host = await centre();
    await waitFor(() => expect(document.querySelector('[data-parked="701"]')?.textContent).toMatch(/Garage Jansen.*bij Kim Yıldız.*1:0\d/s));
    press('F8', { shiftKey: true });
    expect(sent(host, 'call.retrieve')).toEqual([{ cmd: 'call.retrieve', slot: '701', account: 'main' }]);
    await waitFor(() => expect(document.querySelector('[data-parked]')).toBeNull());
    press('F8', { shiftKey: true });
    await screen.findByText(nl.keys.none, { selector: '[role="status"]' });
  });
});

describe('what only an exchange can do with calls', () => {
  /** Calls a number, and finds it engaged. */
  async function engaged(host: MockHost): Promise<void> {
    type('604');
    await screen.findByRole('option', { name: /604/, selected: true });
    press('Enter');
    await waitFor(() => expect(document.querySelector('[data-call-state="ringing"]')).not.toBeNull());
    host.change({ calls: host.view.calls.map((call) => ({ ...call, state: 'ended', reason: 'busy_here', status: 486 })) });
    await waitFor(() => expect(screen.getByText('604', { selector: '.over strong' })).toBeTruthy());
  }

  it('is taking the call of another own phone, by button and key', async () => {
    const host = await centre();
    (await screen.findByRole('button', { name: /Gesprek van ander toestel/ })).click();
    expect(sent(host, 'call.pull')).toEqual([{ cmd: 'call.pull', account: 'main' }]);
    await waitFor(() => expect(document.querySelector('[data-act="pull"]')).toBeNull());
    press('V', { altKey: true, shiftKey: true, code: 'KeyV' });
    expect(sent(host, 'call.pull')).toHaveLength(2);
  });

  it('is calling back when somebody who was busy is free', async () => {
    const host = await centre();
    alt('t');
    await screen.findByText(nl.keys.none, { selector: '[role="status"]' });
    await engaged(host);
    (await screen.findByRole('button', { name: /Bel mij als hij vrij is/ })).click();
    await screen.findByText(/De centrale belt u zodra 604 vrij is/, { selector: '[role="status"]' });
    alt('t');
    const wish = { cmd: 'call.ring_back', account: 'main' };
    await waitFor(() => expect(sent(host, 'call.ring_back')).toEqual([wish, wish]));
    expect(await violations()).toEqual([]);
  });

  it('is calling the last caller back, and the last number again', async () => {
    const host = await centre();
    (await screen.findByRole('button', { name: /Laatste beller terugbellen/ })).click();
    expect(sent(host, 'call.return')).toEqual([{ cmd: 'call.return', account: 'main' }]);
    altShift('d');
    expect(sent(host, 'call.redial')).toEqual([{ cmd: 'call.redial', account: 'main' }]);
    altShift('b');
    expect(sent(host, 'call.return')).toHaveLength(2);
  });

  it('is having the last call traced, when that is asked for twice', async () => {
    const host = await centre({ queue: false });
    host.ring(false);
    host.change({ calls: host.view.calls.map((call) => ({ ...call, state: 'ended', reason: 'declined', status: 603 })) });
    const button = await screen.findByRole('button', { name: /Dit gesprek laten opsporen/ });
    button.click();
    await screen.findByRole('button', { name: /Zeker\?/ });
    expect(sent(host, 'call.trace')).toEqual([]);
    button.click();
    await screen.findByText(/De centrale legt vast waar het gesprek/, { selector: '[role="status"]' });
    expect(sent(host, 'call.trace')).toEqual([{ cmd: 'call.trace', account: 'main' }]);
    await waitFor(() => expect(document.querySelector('[data-act="trace"]')).toBeNull());
    expect(await violations()).toEqual([]);
  });

  it('is not offered where it cannot', async () => {
    const host = await centre();
    const exchange = ['pull_call', 'ring_back', 'call_return', 'redial', 'call_trace'];
    const can = host.company.centre.capabilities.filter((one) => !exchange.includes(one));
    host.company.change({ capabilities: can });
    await waitFor(() => expect(document.querySelector('[data-act="pull"]')).toBeNull());
    await engaged(host);
    expect(document.querySelector('[data-act="ring-back"]')).toBeNull();
    alt('t');
    for (const key of ['v', 'd', 'b']) altShift(key);
    const asked = ['call.pull', 'call.ring_back', 'call.redial', 'call.return'] as const;
    expect(asked.flatMap((cmd) => sent(host, cmd))).toEqual([]);
  });
});

describe('recording at the exchange', () => {
  /** Where the exchange records, a caller is answered. */
  async function talking(host: MockHost): Promise<void> {
    const { capabilities } = host.company.centre;
    host.company.change({ capabilities: [...capabilities, 'recording'] });
    void host.control({ cmd: 'call.answer', call: host.ring() });
    await waitFor(() => expect(document.querySelector('[data-call-state="active"]')).not.toBeNull());
  }
  const label = (): Element | null => document.querySelector('[data-recording]');

  it('is begun, paused, resumed and ended by button and key, and said in words', async () => {
    const host = await centre();
    await talking(host);
    expect(label()).toBeNull();
    (await screen.findByRole('button', { name: /Gesprek vastleggen/ })).click();
    await waitFor(() => expect(label()?.textContent).toBe('Wordt opgenomen'));
    expect(label()?.querySelector('svg')?.dataset.icon).toBe('record');
    await screen.findByText(/Wordt opgenomen\./, { selector: '[aria-live="polite"], [role="status"]' });
    expect(await violations()).toEqual([]);
    alt('j');
    await waitFor(() => expect(label()?.textContent).toBe('Opname onderbroken'));
    (await screen.findByRole('button', { name: /Opname hervatten/ })).click();
    await waitFor(() => expect(label()?.textContent).toBe('Wordt opgenomen'));
    press('J', { altKey: true, shiftKey: true, code: 'KeyJ' });
    await waitFor(() => expect(label()).toBeNull());
    expect(sent(host, 'call.record').map((one) => ('do' in one ? one.do : null))).toEqual(['start', 'pause', 'resume', 'stop']);
  });

  it('stays visible while the caller is on hold', async () => {
    const host = await centre();
    await talking(host);
    alt('j');
    await waitFor(() => expect(label()?.textContent).toBe('Wordt opgenomen'));
    press('F6');
    await waitFor(() => expect(document.querySelector('[data-call-state="held"] [data-recording="on"]')).not.toBeNull());
  });

  it('is not offered where the exchange does not', async () => {
    const host = await centre();
    void host.control({ cmd: 'call.answer', call: host.ring() });
    await waitFor(() => expect(document.querySelector('[data-act="hold"]')).not.toBeNull());
    expect(document.querySelector('[data-act="record"], [data-act="record-stop"]')).toBeNull();
    alt('j');
    await screen.findByText(nl.keys.none, { selector: '[role="status"]' });
    expect(sent(host, 'call.record')).toEqual([]);
  });
});

describe('why queues pass an agent by', () => {
  it.each(['dnd', 'forwarding', 'personal_call', 'bounces'] as const)('is said in the bar and in the panel: %s', async (cause) => {
    const host = await centre();
    const { agent } = host.company.centre;
    if (agent === null) throw new Error('no agent');
    host.company.change({ agent: { ...agent, cause, needs_outcome: 7 } });
    await waitFor(() => expect(document.querySelector('[data-opens="agent"]')?.textContent).toContain(nl.agent.causeShort[cause]));
    alt('a');
    await waitFor(() => expect(document.querySelector(`[data-cause="${cause}"]`)?.textContent).toContain(nl.agent.causes[cause]));
    await screen.findByRole('button', { name: 'Geef uitkomst' });
  });
});

describe('the view of the exchange', () => {
  it.each(['lost', 'refused', 'elsewhere'] as const)('that is %s is said in words, with what to do', async (link) => {
    const host = await centre({ link });
    const line = document.querySelector(`[data-link="${link}"]`);
    expect(line?.textContent).toContain(nl.centre.link[link].what);
    expect(line?.textContent).toContain(nl.centre.link[link].todo);
    line?.querySelector('button')?.click();
    expect(sent(host, 'centre.refresh')).toEqual([{ cmd: 'centre.refresh', account: 'main' }]);
  });

  it('that is read at intervals is said to be, without alarm', async () => {
    await centre({ link: 'polling' });
    expect(document.querySelector('[data-link="polling"]')?.textContent).toContain('halve minuut oud');
    expect(document.querySelector('[data-link="polling"] button')).toBeNull();
  });

  it('is not there at all for an account without exchange', async () => {
    await open();
    const pages = [...document.querySelectorAll('nav [data-page]')].map((page) => page.getAttribute('data-page'));
    expect(pages).toEqual(['desk', 'contacts']);
    expect(document.querySelector('[data-opens="agent"], [data-opens="night"]')).toBeNull();
    press('4', { ctrlKey: true });
    await waitFor(() => expect(screen.getByText(nl.keys.none, { selector: '[role="status"]' })).toBeTruthy());
  });
});

describe('accessibility', () => {
  it.each([
    ['agent', '.panel:not([hidden]) [role="switch"]', () => alt('a')],
    ['night', '.panel:not([hidden]) [role="radiogroup"]', () => alt('n')],
    ['supervisor', '[data-supervised]', () => press('2', { ctrlKey: true })],
    ['wallboard', '.board', () => press('3', { ctrlKey: true })],
    ['services', '[data-service]', () => press('4', { ctrlKey: true })],
    ['view', '.panel:not([hidden]) input[value="compact"]', () => document.querySelector<HTMLElement>('[data-opens="view"]')?.click()],
  ] as const)('%s', async (_, shown, show) => {
    const host = await centre();
    host.company.finished(7, { uri: '', name: 'Garage Jansen', number: '1' }, false);
    host.ring();
    show();
    await waitFor(() => expect(document.querySelector(shown)).not.toBeNull());
    expect(await violations()).toEqual([]);
  });

  it('consultation', async () => {
    const host = await centre({ pace: 100 });
    host.ring();
    await screen.findByRole('button', { name: /Opnemen/ });
    press('F2');
    await screen.findByRole('button', { name: /Kiestoetsen/ });
    await host.control({ cmd: 'call.transfer.consult', call: 1, to: '203' });
    await screen.findByRole('article', { name: /doorverbinden met Eva Mulder/ });
    expect(await violations()).toEqual([]);
  });
});
