// Follows background works on a page: asks each second how far they are, and loads the page anew when one has ended.
(function () {
  "use strict";

  var SECOND = 1000;

  function follow(box) {
    var bar = box.querySelector("progress");
    var text = box.querySelector(".work-text");
    var failures = 0;

    function again() {
      // A server that restarts is asked less often, but never given up.
      window.setTimeout(ask, SECOND * Math.min(10, 1 + failures));
    }

    function show(status) {
      if (text.textContent !== status.text) {
        text.textContent = status.text;
      }
      if (status.percent === null) {
        bar.removeAttribute("value");
      } else {
        bar.value = status.percent;
      }
    }

    function ask() {
      var request = new XMLHttpRequest();
      request.open("GET", box.getAttribute("data-url"));
      request.setRequestHeader("Accept", "application/json");
      request.timeout = 30 * SECOND;
      request.onload = function () {
        var status;
        if (request.status === 404 || request.status === 403) {
          return;
        }
        try {
          status = JSON.parse(request.responseText);
        } catch (error) {
          if (request.status === 200) {
            // The log-in page: the session has ended.
            window.location.reload();
            return;
          }
          failures += 1;
          again();
          return;
        }
        failures = 0;
        show(status);
        if (status.finished) {
          window.location.reload();
        } else {
          again();
        }
      };
      request.onerror = request.ontimeout = function () {
        failures += 1;
        again();
      };
      request.send();
    }

    if (box.getAttribute("data-finished")) {
      window.location.reload();
    } else {
      again();
    }
  }

  Array.prototype.forEach.call(document.querySelectorAll(".work-progress"), follow);
})();
