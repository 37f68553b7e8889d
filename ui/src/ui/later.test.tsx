import { MantineProvider } from '@mantine/core';
import { act, Suspense } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { I18n } from '../i18n/i18n';
import { later, retryParts } from './later';
import { PanelBoundary } from './panel';

let root: Root;
let page: HTMLElement;

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.spyOn(console, 'error').mockImplementation(() => {}); // React tells of what a boundary caught
  page = document.createElement('main');
  document.body.append(page);
  root = createRoot(page);
});

afterEach(async () => {
  await act(async () => root.unmount());
  page.remove();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const show = (Part: React.FunctionComponent) =>
  act(async () =>
    root.render(
      <MantineProvider>
        <I18n>
          <PanelBoundary>
            <Suspense fallback="…">
              <Part />
            </Suspense>
          </PanelBoundary>
        </I18n>
      </MantineProvider>,
    ),
  );

it('asks for a part again that did not come', async () => {
  const answers: (() => Promise<{ default: () => React.ReactNode }>)[] = [
    () => Promise.reject(new TypeError('Failed to fetch dynamically imported module')),
    () => Promise.resolve({ default: () => <p id="here" /> }),
  ];
  const load = vi.fn(() => answers[load.mock.calls.length - 1]!());
  await show(later(load));
  expect(page.querySelector('[role=alert]')).not.toBeNull();
  expect(load).toHaveBeenCalledTimes(1); // not again and again by itself
  await act(async () => page.querySelector<HTMLButtonElement>('[role=alert] button')!.click());
  expect(page.querySelector('#here')).not.toBeNull();
  expect(page.querySelector('[role=alert]')).toBeNull();
  expect(load).toHaveBeenCalledTimes(2);
});

it('loads the page when a part does not come twice', async () => {
  const reload = vi.fn();
  const Part = later(() => Promise.reject<{ default: () => null }>(new TypeError('gone')));
  await show(Part);
  retryParts(reload);
  expect(reload).not.toHaveBeenCalled();
  await act(async () => root.render(null));
  await show(Part);
  retryParts(reload);
  expect(reload).toHaveBeenCalledTimes(1);
  retryParts(reload);
  expect(reload).toHaveBeenCalledTimes(1);
});
