"""Strings that would do something if a page did not treat them as text. Each marks the page as `stung` if it ever runs.

They are our own spellings of the well-known ways: tags, attributes, addresses, entities, comments, Markdown, templates,
control characters, text direction, and lengths.
"""

from __future__ import annotations

STING = "window.stung=1"

HOSTILE = (
    f"<script>{STING}</script>",
    f"</title><script>{STING}</script>",
    f"</textarea><script>{STING}</script>",
    f"</style><script>{STING}</script>",
    f"--><script>{STING}</script><!--",
    f"]]><script>{STING}</script>",
    f"<img src=x onerror={STING}>",
    f"<img src='x' onerror='{STING}'>",
    f'"><img src=x onerror="{STING}">',
    f"'><img src=x onerror='{STING}'>",
    f"<svg onload={STING}>",
    f"<svg><script>{STING}</script></svg>",
    f"</text></svg><script>{STING}</script>",
    f"<svg><a xlink:href='javascript:{STING}'><text y=20>here</text></a></svg>",
    f"<math><a xlink:href='javascript:{STING}'>here</a></math>",
    f"<body onload={STING}>",
    f"<iframe srcdoc='<script>parent.{STING}</script>'></iframe>",
    f"<iframe src=javascript:{STING}>",
    f"<object data=javascript:{STING}>",
    f"<details open ontoggle={STING}>x</details>",
    f"<input autofocus onfocus={STING}>",
    f"<video><source onerror={STING}></video>",
    f"<marquee onstart={STING}>x</marquee>",
    f"<a href=javascript:{STING}>here</a>",
    f"<a href=' &#106;avascript:{STING}'>here</a>",
    f"<form action=javascript:{STING}><button>here</button></form>",
    f"<button formaction=javascript:{STING}>here</button>",
    f"<meta http-equiv=refresh content='0;url=javascript:{STING}'>",
    f"<base href='javascript:{STING}//'>",
    f"<link rel=stylesheet href='data:text/css,*{{x:expression({STING})}}'>",
    "<style>*{display:none}</style>",
    f'" onmouseover="{STING}" autofocus onfocus="{STING}" x="',
    f"' onmouseover='{STING}' x='",
    f"` onmouseover=`{STING}`",
    f"javascript:{STING}",
    f"data:text/html,<script>{STING}</script>",
    f"[here](javascript:{STING})",
    f'![x](x"onerror="{STING})',
    f"&lt;script&gt;{STING}&lt;/script&gt;",
    "{{ 7 * 191 }}{% raw %}${7*191}#{7*191}<%= 7*191 %>",
    "\u202egnp.tset\u202d \u2066isolated\u2069",
    "W" * 60,
)
