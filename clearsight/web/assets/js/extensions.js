// Where a feature puts what it adds to the page. Each entry is {order, render}; smaller orders come first. What
// `render` returns is a lit template, or `nothing` where the feature has nothing to offer.

/** Buttons in the composer's one toolbar: render(app). */
export const composerTools = [];
/** What stands above the message box: render(app). */
export const composerPanels = [];
/** Buttons in the one row of actions below a message: render(app, message). */
export const messageActions = [];
/** Buttons on a picture that is waiting in the composer: render(app, attachment). */
export const attachmentActions = [];
/** Buttons on a picture in the transcript: render(app, part), with part {sha256, original, marks, detail}. */
export const pictureActions = [];
/** Links at the top of the sidebar: render(app). */
export const sidebarLinks = [];
/** Groups in the settings: render(app). */
export const settingsGroups = [];
/** Keyboard shortcuts {keys, code, label, run(app)}, all with Alt+Shift; listed in the dialog of shortcuts. */
export const extraShortcuts = [];
/** Whole views by the first step of the route: {title, render(app)}; #/describe shows views.get("describe"). */
export const views = new Map();

/** Dialogs by the kind that app.showDialog({kind}) names: render(app, dialog); see views/dialogs.js. */
export const dialogKinds = new Map();

/** The entries of a place, in order. */
export const inOrder = (entries) => [...entries].sort((a, b) => a.order - b.order);
