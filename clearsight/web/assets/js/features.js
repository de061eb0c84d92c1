// The features that put themselves into the page; each is a folder with an index.js that fills extensions.js.

import "./voice/index.js";
import "./pictures/index.js";
import "./describe/index.js";
